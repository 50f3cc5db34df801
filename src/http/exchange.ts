import type { Server } from "bun";
import type { Caller } from "../auth/callers.ts";
import type { Principal } from "../principal.ts";
import type { AskContext } from "../relay/conversation.ts";
import type { AccessControl } from "./middleware/access.ts";
import { AskProgress } from "./middleware/sent-headers.ts";
import { readTrace, type Trace } from "./middleware/trace.ts";
import type { Access, NamedRoute } from "./route-declaration.ts";

// biome-ignore lint/suspicious/noExplicitAny: routes never read the data of the server's sockets.
export type BunServer = Server<any>;

/** A request that has arrived, and the route that serves it. */
export interface Arrival {
  request: Request;
  server: BunServer;
  /** The decoded path; the declared one if the caller used an alias. */
  path: string;
  /** Undefined if no route has this method and path. */
  route: NamedRoute | undefined;
  /** The parameters of the path. */
  params: Readonly<Record<string, string>>;
}

const ADMIN_ACCESS: ReadonlySet<Access> = new Set<Access>(["admin", "adminOrBody", "adminOrQuery"]);

const isAdministration = (route: NamedRoute | undefined): boolean =>
  route !== undefined && (ADMIN_ACCESS.has(route.access) || route.tag === "Sessions");

/** A request with its response, and what is found out about them. */
export class Exchange {
  readonly startedAt = performance.now();
  readonly request: Request;
  readonly server: BunServer;
  readonly path: string;
  readonly route: NamedRoute | undefined;
  readonly params: Readonly<Record<string, string>>;
  /** The trace that the caller sent. */
  readonly trace: Trace | undefined;
  /** Tells the caller where their ask is. */
  readonly progress = new AskProgress();
  /** The caller's address, as far as proxies are trusted; undefined if it is not known. */
  address: string | undefined;
  /** The caller whose limits the response tells, whatever it will be. */
  limited: Caller | undefined;
  /** Reserves tokens for what the server adds to the request. Throws as `Lease.reserve` does, or rejects. */
  reserve: AskContext["reserve"];
  /** Resolves when the ask has ended that goes on after its response was sent. Undefined if none does. */
  detached: Promise<void> | undefined;
  /** The body was read to its end. */
  isBodyRead = false;
  /** The request has become a socket, and its response is the runtime's. */
  isUpgraded = false;
  /** Who makes the request, once their key has proved right. This and what follows is for the log. */
  principal: Principal | undefined;
  agent: string | undefined;
  model: string | undefined;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  error: string | undefined;
  /** The model that was asked for, if no agent offers it. */
  missingModel: string | undefined;
  /** The user whose key was refused, as it is not valid any more. */
  keyOf: Principal | undefined;
  #leave: (() => void) | undefined;

  constructor(
    { request, server, path, route, params }: Arrival,
    readonly requestId: string,
    private readonly access: Pick<AccessControl, "enter">,
  ) {
    this.request = request;
    this.server = server;
    this.path = path;
    this.route = route;
    this.params = params;
    this.trace = readTrace(request.headers);
  }

  /**
   * Notes who makes the request, whose key has proved right, and counts the request against the share of its
   * address. May be called again. Throws address_busy.
   */
  enter(principal: Principal): void {
    this.principal = principal;
    // An administrator can always sign in and raise the limit again, which is kept over a restart.
    if (principal.kind === "admin" && isAdministration(this.route)) return;
    this.#leave ??= this.access.enter(this.address);
  }

  /** Gives the share of the address back. */
  leave(): void {
    this.#leave?.();
  }
}
