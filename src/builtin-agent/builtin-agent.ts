import { CommandError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import type { HelloFrame, ServerFrame } from "../protocol/agent-v2.ts";
import type { ServerAddress } from "./address.ts";
import { type Asks, createAsks } from "./asks.ts";
import { type BackOff, createBackOff } from "./back-off.ts";
import { type Cancel, type Clock, createClock, within } from "./clock.ts";
import { type Connection, openConnection, type Parting, type ReadyFrame } from "./connection.ts";
import type { Offer, Upstream } from "./upstream.ts";
import { type Watch, watchUpstream } from "./watch.ts";

export interface BridgeOptions {
  server: ServerAddress;
  agentKey?: string | undefined;
  upstream: Upstream;
  /** How the server's people see it. */
  name: string;
  /** Of this program. */
  version: string;
  /** How many asks it takes at once. */
  slots: number;
  log: Log;
  /** Takes a line for people, in which there is never a key. */
  tell: (line: string) => void;
  /** The server's certificate is not looked at: only for a server in this very process. */
  anyCertificate?: boolean;
  clock?: Clock;
  /** From 0 to 1; for the pauses. */
  random?: () => number;
}

export interface Bridge {
  /**
   * Resolves when it is over: after `stop`, or with an error when the server wants it never to come back.
   */
  ended: Promise<CommandError | undefined>;
  /**
   * Takes no more asks, finishes those that run for at most that long, and leaves. Calling it again changes
   * nothing. Resolves when all is over.
   */
  stop(drainMs: number): Promise<void>;
}

/** A connection that lived this long was no failure. */
const GOOD_MS = 60_000;
/** Lets agents that were sent away together come back one after another. */
const SPREAD = 0.2;

/** Starts to bring an upstream to a server, and keeps doing so over every loss of either. */
export function startBridge(options: BridgeOptions): Bridge {
  const link = new Link({ clock: createClock(), random: Math.random, ...options });
  return { ended: link.ended, stop: (drainMs) => link.stop(drainMs) };
}

/** The agent's life: one connection after another, with the same identity. */
class Link {
  readonly ended: Promise<CommandError | undefined>;
  readonly #options: Required<BridgeOptions>;
  readonly #end: (error: CommandError | undefined) => void;
  readonly #asks: Asks;
  readonly #watch: Watch;
  readonly #backOff: BackOff;
  #connection: Connection | undefined;
  #identity: { agent: string; resume: string } | undefined;
  /** Undefined while the server has not said `ready`. */
  #readyAt: number | undefined;
  #comeBackMs: number | undefined;
  /** What the server was told last, on this connection. */
  #told: Offer | undefined;
  #started = false;
  #leaving: Promise<void> | undefined;
  #cancelRetry: Cancel = () => {};

  constructor(options: BridgeOptions & { clock: Clock; random: () => number }) {
    const { clock, random, log, tell, upstream, slots } = options;
    this.#options = { agentKey: undefined, anyCertificate: false, ...options } as Required<BridgeOptions>;
    const { promise, resolve } = Promise.withResolvers<CommandError | undefined>();
    this.ended = promise;
    this.#end = resolve;
    this.#backOff = createBackOff(random);
    this.#asks = createAsks({ upstream, slots, clock, log, onBroken: () => this.#watch.check() });
    this.#watch = watchUpstream({
      upstream,
      clock,
      random,
      log,
      tell,
      onChange: () => {
        if (this.#started) this.#update();
        else this.#connect();
      },
    });
  }

  stop(drainMs: number): Promise<void> {
    this.#leaving ??= this.#leave(drainMs);
    return this.#leaving;
  }

  async #leave(drainMs: number): Promise<void> {
    const { clock } = this.#options;
    this.#watch.stop();
    this.#cancelRetry();
    if (this.#readyAt !== undefined) this.#connection?.send({ type: "pause" });
    await within(clock, drainMs, this.#asks.finish());
    this.#asks.abandon();
    if (this.#connection) this.#connection.close();
    else this.#end(undefined);
    await this.ended;
  }

  #connect(): void {
    this.#started = true;
    const { server, agentKey, anyCertificate, clock, log } = this.#options;
    this.#connection = openConnection({
      server,
      agentKey: server.key ?? agentKey,
      anyCertificate,
      clock,
      log,
      hello: () => this.#hello(),
      onReady: (frame) => this.#ready(frame),
      onFrame: (frame) => this.#frame(frame),
      onEnd: (parting) => this.#parted(parting),
    });
  }

  #hello(): HelloFrame {
    const { name, version, slots } = this.#options;
    this.#told = this.#watch.offer();
    const { models = [], endpoints = [] } = this.#told ?? {};
    return {
      type: "hello",
      ...this.#identity,
      name,
      version,
      slots,
      models: [...models],
      endpoints: [...endpoints],
    };
  }

  #ready({ agent, resume, version }: ReadyFrame): void {
    const { clock, log, tell, server, slots } = this.#options;
    this.#identity = { agent, resume };
    this.#readyAt = clock.now();
    log.info("server_connected", { server: server.shown, agent, version });
    tell(`connected to ${server.shown}, offering ${listed(this.#watch.offer())}, ${slots} at once`);
    if (this.#leaving !== undefined) this.#connection?.send({ type: "pause" });
    else this.#update();
  }

  #frame(frame: ServerFrame): void {
    if (frame.type === "ask" && this.#connection) this.#asks.start(frame, this.#connection);
    if (frame.type === "cancel") this.#asks.cancel(frame.ask);
    if (frame.type === "drain") this.#comeBackMs = frame.reconnect_ms;
  }

  #parted({ reason, final }: Parting): void {
    const { clock } = this.#options;
    this.#connection = undefined;
    this.#asks.cancelAll();
    const livedMs = this.#readyAt === undefined ? 0 : clock.now() - this.#readyAt;
    this.#readyAt = undefined;
    if (this.#leaving !== undefined) this.#end(undefined);
    else if (final) this.#giveUp(reason);
    else this.#comeBack(reason, livedMs);
  }

  #giveUp(reason: string): void {
    const { log, server } = this.#options;
    this.#watch.stop();
    log.error("server_refused", { server: server.shown, reason });
    this.#end(new CommandError(`${server.shown}: ${reason}`));
  }

  #comeBack(reason: string, livedMs: number): void {
    const { clock, log, tell, server, random } = this.#options;
    if (livedMs >= GOOD_MS) this.#backOff.reset();
    const comeBackMs = this.#comeBackMs;
    this.#comeBackMs = undefined;
    const waitMs =
      comeBackMs === undefined ? this.#backOff.next() : Math.round(comeBackMs * (1 + random() * SPREAD));
    log.warn("server_lost", { server: server.shown, reason, retry_ms: waitMs });
    tell(`${server.shown}: ${reason}; reconnecting in ${(waitMs / 1000).toFixed(1)} s`);
    this.#cancelRetry = clock.after(waitMs, () => this.#connect());
  }

  #update(): void {
    const offer = this.#watch.offer();
    if (!offer || offer === this.#told || this.#readyAt === undefined || this.#leaving !== undefined) return;
    this.#told = offer;
    this.#connection?.send({ type: "update", models: [...offer.models], endpoints: [...offer.endpoints] });
  }
}

const SHOWN_MAX = 5;

function listed(offer: Offer | undefined): string {
  const ids = offer?.models.map(({ id }) => id) ?? [];
  const names = ids.slice(0, SHOWN_MAX).join(", ") + (ids.length > SHOWN_MAX ? ", …" : "");
  return ids.length === 0 ? "no model yet" : `${ids.length} model${ids.length > 1 ? "s" : ""} (${names})`;
}
