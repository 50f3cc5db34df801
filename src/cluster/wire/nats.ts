import { readFileSync } from "node:fs";
import { connect, credsAuthenticator, errors, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { BoundedMap } from "../../bounded-map.ts";
import { CommandError } from "../../errors.ts";
import { causeOf, type Log } from "../../log/log.ts";
import type { Transport, TransportListener } from "./transport.ts";

export interface NatsOptions {
  /** Addresses as `nats://user:password@host:4222`. */
  servers: readonly string[];
  credsFile: string | undefined;
  clusterName: string;
  nodeName: string;
  /** How long it tries to reach NATS at first. Default: 10 s. */
  startMs?: number;
  log: Pick<Log, "info" | "warn">;
}

const START_MS = 10_000;
const RETRY_MS = 250;
const HANDSHAKE_MS = 3_000;
/** A server that answers none of two pings is away. */
const PING_MS = 2_000;
const PAYLOAD_MIN = 8 * 1024;
const NOBODY_LISTENS = 503;
const DEFAULT_PORT = "4222";
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

  listen(nodeId: string, listener: TransportListener): void {
    this.#selfId = nodeId;
    this.#listener = listener;
    this.#subscribe();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const end = this.#isUp ? this.#connection.drain() : this.#connection.close();
    await end.catch(() => {});
  }

  #subscribe(): void {
    const listener = this.#listener;
    if (!listener) return;
    const take = (error: Error | null, message: Msg) => {
      try {
        if (error === null) listener.message(message.data);
      } catch (fault) {
        // Whatever is thrown here would end the client's loop.
        this.#logError(fault);
      }
    };
    this.#connection.subscribe(`${this.#prefix}.beat`, { callback: take });
    this.#connection.subscribe(`${this.#prefix}.node.${this.#selfId}`, { callback: take });
    this.#connection.subscribe(`${this.#prefix}.unanswered.${this.#selfId}.*`, {
      callback: (error, message) => {
        if (error !== null || message.headers?.code !== NOBODY_LISTENS) return;
        listener.unanswered(message.subject.slice(message.subject.lastIndexOf(".") + 1));
      },
    });
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
    const cause = causeOf(error);
    const now = performance.now();
    if (now - (this.#loggedAt.get(cause) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) return;
    this.#loggedAt.set(cause, now);
    const isForbidden = error instanceof errors.PermissionViolationError;
    this.#log.warn("nats_error", { cause }, isForbidden ? this.#permissionWords : undefined);
  }

  get #permissionWords(): string {
    return `NATS forbids this node to publish or to subscribe, so it is without the others. Allow its user both on ${this.#prefix}.>.`;
  }

  #down(): void {
    if (!this.#isUp || this.#isClosed) return;
    this.#isUp = false;
    this.#log.warn("nats_lost");
    this.#listener?.down();
  }
}

/** Tries again until the time is over, unless NATS refuses. */
async function connectWithin(limitMs: number, options: NatsOptions): Promise<NatsConnection> {
  const until = performance.now() + limitMs;
  const settings = settingsOf(options);
  for (;;) {
    const leftMs = until - performance.now();
    try {
      return await connect({ ...settings, timeout: Math.max(Math.min(HANDSHAKE_MS, leftMs), 1) });
    } catch (cause) {
      if (isRefusal(cause)) {
        throw new CommandError(
          `NATS at ${settings.servers.join(", ")} refuses this login. Correct --nats or --nats-creds.`,
          { cause },
        );
      }
      if (leftMs > RETRY_MS) {
        await Bun.sleep(RETRY_MS);
        continue;
      }
      if (isUntrusted(cause)) {
        throw new CommandError(
          `NATS at ${settings.servers.join(", ")} has a certificate that is not trusted. Name its authority in NODE_EXTRA_CA_CERTS, or correct the host in --nats.`,
          { cause },
        );
      }
      throw new CommandError(
        `NATS cannot be reached at ${settings.servers.join(", ")} within ${limitMs / 1000} s. Start it, or correct --nats.`,
        { cause },
      );
    }
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError;
}

/** Whether the certificate of the server was refused. The codes are those of OpenSSL and Node.js. */
function isUntrusted(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /CERT|UNABLE_TO_VERIFY/.test(code);
}

function settingsOf({ servers, credsFile, nodeName }: NatsOptions) {
  const urls = servers.map((server) => new URL(server));
  const login = urls.find(({ username }) => username !== "");
  const user = decodeURIComponent(login?.username ?? "");
  const pass = decodeURIComponent(login?.password ?? "");
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port || DEFAULT_PORT}`),
    // NATS takes a token in the place of the user.
    ...(user === "" ? {} : pass === "" ? { token: user } : { user, pass }),
    ...(credsFile === undefined ? {} : { authenticator: credsAuthenticator(readCreds(credsFile)) }),
    ...(urls.some(({ protocol }) => protocol === "tls:") ? { tls: {} } : {}),
    name: `chatgpt-api-server ${nodeName}`,
    reconnectTimeWait: RETRY_MS,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    pingInterval: PING_MS,
  };
}

function readCreds(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new CommandError(`Cannot read the credentials file ${path} (--nats-creds).`, { cause });
  }
}
