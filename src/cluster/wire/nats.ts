import { errors, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { BoundedMap } from "../../bounded-map.ts";
import { CommandError } from "../../errors.ts";
import { causeOf } from "../../log/log.ts";
import { freeBytes, ownBytes } from "../../protocol/bytes/free-bytes.ts";
import { connectWithin, type NatsOptions, RETRY_MS, START_MS } from "./nats-connect.ts";
import type { Transport, TransportListener } from "./transport.ts";

type PermissionViolation = InstanceType<typeof errors.PermissionViolationError>;

const PAYLOAD_MIN = 8 * 1024;
const NOBODY_LISTENS = 503;
/** How long NATS may take to say what it forbids. */
const CHECK_MS = 3_000;
/** A subscription that NATS has refused is tried again after this time. */
const SUBSCRIBE_AGAIN_MS = 5_000;
/** The same error is logged once in this time, as each message may cause it. */
const LOG_EVERY_MS = 60_000;
const ERRORS_LOGGED_MAX = 16;

/** Connects, or throws a `CommandError` that says in one line why that fails. */
export async function connectNats(options: NatsOptions): Promise<Transport> {
  const connection = await connectWithin(options.startMs ?? START_MS, options);
  const payloadMax = connection.info?.max_payload ?? 0;
  if (payloadMax < PAYLOAD_MIN) {
    await connection.close();
    throw new CommandError(
      `NATS takes messages of ${payloadMax} bytes, but the nodes of a cluster need 8 KB. Raise max_payload of the NATS server.`,
    );
  }
  return new NatsTransport(options, connection);
}

class NatsTransport implements Transport {
  readonly #prefix: string;
  readonly #log: NatsOptions["log"];
  readonly #options: NatsOptions;
  /** When errors were logged last, by their causes. */
  readonly #loggedAt = new BoundedMap<string, number>(ERRORS_LOGGED_MAX);
  #connection: NatsConnection;
  #payloadMax: number;
  #selfId = "";
  #listener: TransportListener | undefined;
  #forbidden: PermissionViolation | undefined;
  #isUp = true;
  #isClosed = false;

  constructor(options: NatsOptions, connection: NatsConnection) {
    this.#options = options;
    this.#prefix = `chatgpt-api.${options.clusterName}`;
    this.#log = options.log;
    this.#connection = connection;
    this.#payloadMax = connection.info?.max_payload ?? PAYLOAD_MIN;
    this.#log.info("nats_connected", { server: connection.getServer() });
    void this.#watch(connection);
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get payloadMax(): number {
    return this.#payloadMax;
  }

  publish(nodeId: string | undefined, message: Uint8Array): boolean {
    if (!this.#isUp || this.#isClosed) return false;
    try {
      if (nodeId === undefined) this.#connection.publish(`${this.#prefix}.beat`, message);
      else {
        const reply = `${this.#prefix}.unanswered.${this.#selfId}.${nodeId}`;
        this.#connection.publish(`${this.#prefix}.node.${nodeId}`, message, { reply });
      }
      return true;
    } catch {
      // The connection is closed, or a server that takes shorter messages was reached.
      return false;
    }
  }

  async check(nodeId: string, probe: Uint8Array): Promise<void> {
    this.#begin(nodeId);
    this.publish(undefined, probe);
    this.publish(crypto.randomUUID(), probe);
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, CHECK_MS);
    await Promise.race([this.#connection.flush().catch(() => {}), late.promise]);
    clearTimeout(timer);
    // Errors come by an iterator, a little later than the answer.
    await new Promise(setImmediate);
    if (this.#forbidden)
      throw new CommandError(this.#permissionWords(this.#forbidden), { cause: this.#forbidden });
  }

  listen(nodeId: string, listener: TransportListener): void {
    this.#listener = listener;
    this.#begin(nodeId);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const end = this.#isUp ? this.#connection.drain() : this.#connection.close();
    await end.catch(() => {});
  }

  #begin(nodeId: string): void {
    if (this.#selfId === nodeId) return;
    this.#selfId = nodeId;
    this.#subscribe();
  }

  #subscribe(): void {
    if (this.#selfId === "") return;
    const take = ({ data }: Msg) => {
      this.#listener?.message(data);
      // Others are views of what the socket has read.
      const cameInParts = !Buffer.isBuffer(data);
      if (cameInParts) freeBytes(ownBytes(data));
    };
    this.#subscribeTo(`${this.#prefix}.beat`, take);
    this.#subscribeTo(`${this.#prefix}.node.${this.#selfId}`, take);
    this.#subscribeTo(`${this.#prefix}.unanswered.${this.#selfId}.*`, ({ headers, subject }) => {
      if (headers?.code === NOBODY_LISTENS)
        this.#listener?.unanswered(subject.slice(subject.lastIndexOf(".") + 1));
    });
  }

  #subscribeTo(subject: string, take: (message: Msg) => void): void {
    const connection = this.#connection;
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) return this.#subscribeAgain(connection, () => this.#subscribeTo(subject, take));
        try {
          take(message);
        } catch (fault) {
          // Whatever is thrown here would end the client's loop.
          this.#logError(fault);
        }
      },
    });
  }

  /** The client gives up a subscription that NATS refuses, which NATS may allow later. */
  #subscribeAgain(connection: NatsConnection, subscribe: () => void): void {
    const again = () => {
      if (!this.#isClosed && connection === this.#connection && !connection.isClosed()) subscribe();
    };
    setTimeout(again, SUBSCRIBE_AGAIN_MS).unref();
  }

  /** Follows what happens to the connection, which the client makes again by itself, and replaces a closed one. */
  async #watch(connection: NatsConnection): Promise<void> {
    for await (const { type, ...event } of connection.status()) {
      if (type === "disconnect") this.#down();
      else if (type === "reconnect") this.#up();
      else if (type === "error" && "error" in event) this.#logError(event.error);
    }
    this.#down();
    while (!this.#isClosed) {
      const next = await connectWithin(START_MS, this.#options).catch(() => undefined);
      if (!next) await Bun.sleep(RETRY_MS);
      else if (this.#isClosed) return void next.close();
      else return this.#replace(next);
    }
  }

  #replace(connection: NatsConnection): void {
    this.#connection = connection;
    this.#subscribe();
    this.#up();
    void this.#watch(connection);
  }

  #up(): void {
    this.#isUp = true;
    this.#payloadMax = this.#connection.info?.max_payload ?? this.#payloadMax;
    this.#log.info("nats_connected", { server: this.#connection.getServer() });
    this.#listener?.up();
  }

  #logError(error: unknown): void {
    const forbidden = error instanceof errors.PermissionViolationError ? error : undefined;
    this.#forbidden ??= forbidden;
    const cause = causeOf(error);
    const now = performance.now();
    if (now - (this.#loggedAt.get(cause) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) return;
    this.#loggedAt.set(cause, now);
    this.#log.warn(
      "nats_error",
      { cause, ...(forbidden && { operation: forbidden.operation, subject: forbidden.subject }) },
      forbidden && this.#permissionWords(forbidden),
    );
  }

  #permissionWords({ operation, subject }: PermissionViolation): string {
    const what = operation === "publish" ? "publish on" : "subscribe to";
    return `NATS forbids this node to ${what} ${subject}, so it would be without the others. Allow its user to publish and to subscribe on ${this.#prefix}.>.`;
  }

  #down(): void {
    if (!this.#isUp || this.#isClosed) return;
    this.#isUp = false;
    this.#log.warn("nats_lost");
    this.#listener?.down();
  }
}
