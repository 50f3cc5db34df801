import type { Cancel, Clock } from "../clock.ts";
import { CommandError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import { printable } from "../printable.ts";
import type { LinkAgent } from "../protocol/agent-link.ts";
import {
  CAPABILITIES,
  type Claim,
  type HelloFrame,
  OWN_PROGRAM,
  type ServerFrame,
} from "../protocol/agent-v2.ts";
import { createClock, within } from "../time.ts";
import { BackOff } from "./back-off.ts";
import { LoadedWatch } from "./loaded-watch.ts";
import { createRunningAsks } from "./running-asks.ts";
import {
  Connection,
  type ConnectionEnd,
  type ConnectionHandlers,
  type ServerConnection,
} from "./server/connection.ts";
import { InProcessConnection } from "./server/in-process.ts";
import type { ServerAddress } from "./server/server-address.ts";
import type { Offer, Upstream } from "./upstream.ts";
import { firstNames, monitorUpstream } from "./upstream-monitor.ts";

/** The server in this process. */
export interface InProcessServer {
  /** The server's name for people and logs. */
  label: string;
  link: LinkAgent;
}

export interface BuiltinAgentOptions {
  server: ServerAddress | InProcessServer;
  agentKey?: string | undefined;
  upstream: Upstream;
  /** The agent's name in the server's lists. */
  name: string;
  /** The version of this program. */
  version: string;
  /**
   * How many asks the agent takes at once: a number, or a function that returns it for the number that the upstream
   * declares, if it does.
   */
  slots: number | ((declared: number | undefined) => number);
  /** How the agent wants to be chosen. */
  claim?: Claim;
  log: Log;
  /** Reconnects also after a close or a refusal that is final for others: for a server in this process. */
  alwaysReturns?: boolean;
  /** Called when the server asks the agent to update itself. If left out, the server may not ask. */
  onUpdate?: (() => void) | undefined;
  clock?: Clock;
  /** Returns 0 to 1, for the pauses. */
  random?: () => number;
}

/** A connection that was up for this long starts the pauses anew. */
const STABLE_MS = 60_000;
/** Spreads agents that a server sent away together. */
const RECONNECT_SPREAD = 0.2;

/** Connects an upstream to a server, and reconnects with the same identity until it is stopped. */
export class BuiltinAgent {
  readonly #ended = Promise.withResolvers<CommandError | undefined>();
  /** Resolves when the agent has ended: after `stop`, or with an error if the server refuses it. */
  readonly ended = this.#ended.promise;
  readonly #options: Required<BuiltinAgentOptions>;
  readonly #asks;
  readonly #monitor;
  readonly #loadedWatch;
  readonly #backOff: BackOff;
  #connection: ServerConnection | undefined;
  #identity: { agent: string; resume: string } | undefined;
  /** When the server sent `ready`; undefined while it has not. */
  #readyAt: number | undefined;
  /** The pause that the server asked for. */
  #reconnectMs: number | undefined;
  /** The offer that was last sent on this connection. */
  #sentOffer: Offer | undefined;
  /** The slots that the server knows of. */
  #slots = 0;
  #started = false;
  #leaving: Promise<void> | undefined;
  #cancelReconnect: Cancel = () => {};

  constructor(options: BuiltinAgentOptions) {
    const defaults = {
      agentKey: undefined,
      claim: {},
      alwaysReturns: false,
      onUpdate: undefined,
      clock: createClock(),
      random: Math.random,
    };
    this.#options = { ...defaults, ...options };
    this.#backOff = new BackOff(this.#options.random);
    this.#asks = createRunningAsks({
      ...this.#options,
      slots: () => this.#slots,
      onBroken: () => this.#monitor.check(),
      onProgress: ({ body }) => this.#loadedWatch.note(body),
    });
    this.#monitor = monitorUpstream({
      ...this.#options,
      onChange: () => {
        if (this.#started) this.#sendUpdate();
        else this.#connect();
      },
    });
    this.#loadedWatch = new LoadedWatch({
      clock: this.#options.clock,
      tellsLoaded: () => this.#options.upstream.tellsLoaded?.() ?? false,
      models: () => this.#monitor.offer()?.models ?? [],
      isBusy: this.#asks.isBusy,
      look: this.#monitor.lookAtLoaded,
    });
  }

  /**
   * Takes no more asks, lets those that are running finish for at most `drainMs`, and leaves. Further calls
   * change nothing. Resolves when the agent has ended.
   */
  stop(drainMs: number): Promise<void> {
    this.#leaving ??= this.#leave(drainMs);
    return this.#leaving;
  }

  async #leave(drainMs: number): Promise<void> {
    this.#stopLooking();
    this.#cancelReconnect();
    if (this.#readyAt !== undefined) this.#connection?.send({ type: "pause" });
    await within(this.#options.clock, drainMs, this.#asks.finish());
    this.#asks.abandon();
    if (this.#connection) this.#connection.close();
    else this.#ended.resolve(undefined);
    await this.ended;
  }

  #stopLooking(): void {
    this.#monitor.stop();
    this.#loadedWatch.stop();
  }

  #connect(): void {
    this.#started = true;
    const { server, agentKey, clock, log } = this.#options;
    const handlers: ConnectionHandlers = {
      hello: () => this.#hello(),
      onFrame: (frame) => this.#frame(frame),
      onPiece: (piece) => this.#asks.push(piece),
      onEnd: (end) => this.#disconnected(end),
    };
    this.#connection =
      "link" in server
        ? new InProcessConnection({ ...handlers, link: server.link })
        : new Connection({ ...handlers, server, agentKey: server.key ?? agentKey, clock, log });
  }

  #hello(): HelloFrame {
    const { name, version, claim, onUpdate } = this.#options;
    this.#sentOffer = this.#monitor.offer();
    this.#slots = this.#slotsFor(this.#sentOffer);
    const { models = [], endpoints = [] } = this.#sentOffer ?? {};
    const offered = { slots: this.#slots, models: [...models], endpoints: [...endpoints] };
    const capabilities = CAPABILITIES.filter((capability) => capability !== "update" || onUpdate);
    const own = { name, version, program: OWN_PROGRAM, capabilities };
    return { type: "hello", ...this.#identity, ...own, ...offered, ...claim };
  }

  #slotsFor(offer: Offer | undefined): number {
    const { slots } = this.#options;
    return typeof slots === "function" ? slots(offer?.slots) : slots;
  }

  #ready({ agent, resume, version }: Extract<ServerFrame, { type: "ready" }>): void {
    const { clock, log, server } = this.#options;
    this.#identity = { agent, resume };
    this.#readyAt = clock.now();
    const models = modelsText(this.#monitor.offer());
    log.info(
      "server_connected",
      { server: server.label, agent, version },
      `connected to ${server.label}, offering ${models}, up to ${this.#slots} requests at once`,
    );
    if (this.#leaving !== undefined) this.#connection?.send({ type: "pause" });
    else this.#sendUpdate();
  }

  #frame(frame: ServerFrame): void {
    if (frame.type === "ready") this.#ready(frame);
    if (frame.type === "ask" && this.#connection) this.#asks.start(frame, this.#connection);
    if (frame.type === "cancel") this.#asks.cancel(frame.ask);
    if (frame.type === "credit") this.#asks.credit(frame.ask, frame.bytes);
    if (frame.type === "update") this.#options.onUpdate?.();
    if (frame.type === "drain") this.#reconnectMs = frame.reconnect_ms;
  }

  #disconnected({ reason, final }: ConnectionEnd): void {
    this.#connection = undefined;
    this.#asks.cancelAll();
    const upMs = this.#readyAt === undefined ? 0 : this.#options.clock.now() - this.#readyAt;
    this.#readyAt = undefined;
    if (this.#leaving !== undefined) this.#ended.resolve(undefined);
    else if (final && !this.#options.alwaysReturns) this.#giveUp(reason);
    else {
      // Under the old id, it and the agent that took the id over would replace each other in turn.
      if (final) this.#identity = undefined;
      this.#reconnect(reason, upMs);
    }
  }

  #giveUp(reason: string): void {
    const { log, server } = this.#options;
    this.#stopLooking();
    const words = printable(`${server.label}: ${reason}`);
    log.error("server_refused", { server: server.label, reason }, words);
    this.#ended.resolve(new CommandError(words));
  }

  #reconnect(reason: string, upMs: number): void {
    const { clock, log, server, random } = this.#options;
    if (upMs >= STABLE_MS) this.#backOff.reset();
    const askedMs = this.#reconnectMs;
    this.#reconnectMs = undefined;
    const waitMs =
      askedMs === undefined ? this.#backOff.next() : Math.round(askedMs * (1 + random() * RECONNECT_SPREAD));
    log.warn(
      "server_lost",
      { server: server.label, reason, retry_ms: waitMs },
      `${server.label}: ${reason}; reconnecting in ${(waitMs / 1000).toFixed(1)} s`,
    );
    this.#cancelReconnect = clock.after(waitMs, () => this.#connect());
  }

  #sendUpdate(): void {
    const offer = this.#monitor.offer();
    if (!offer || offer === this.#sentOffer || this.#readyAt === undefined || this.#leaving !== undefined)
      return;
    this.#sentOffer = offer;
    const slots = this.#slotsFor(offer);
    const changed = slots === this.#slots ? {} : { slots };
    this.#slots = slots;
    const { models, endpoints } = offer;
    this.#connection?.send({ type: "update", ...changed, models: [...models], endpoints: [...endpoints] });
  }
}

function modelsText(offer: Offer | undefined): string {
  const ids = offer?.models.map(({ id }) => id) ?? [];
  if (ids.length === 0) return "no models yet";
  return `${ids.length} model${ids.length > 1 ? "s" : ""} (${firstNames(ids)})`;
}
