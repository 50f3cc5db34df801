import { readFileSync } from "node:fs";
import { credsAuthenticator, errors, type NatsConnection } from "@nats-io/transport-node";
import { CommandError } from "../../errors.ts";
import type { Log } from "../../log/log.ts";
import { connect } from "./nats-socket.ts";

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

export const START_MS = 10_000;
export const RETRY_MS = 250;
const HANDSHAKE_MS = 3_000;
/** A server that answers none of two pings is away. */
const PING_MS = 2_000;
const DEFAULT_PORT = "4222";

/** Tries again until the time is over, unless NATS refuses. */
export async function connectWithin(limitMs: number, options: NatsOptions): Promise<NatsConnection> {
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
    ...(credsFile === undefined ? {} : { authenticator: credsAuthenticator(credsReader(credsFile)) }),
    ...(urls.some(({ protocol }) => protocol === "tls:") ? { tls: {} } : {}),
    name: `chatgpt-api-server ${nodeName}`,
    reconnectTimeWait: RETRY_MS,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    pingInterval: PING_MS,
  };
}

/** A block between lines of dashes, as the client reads it: the JWT of a user, or the seed of its key. */
const BLOCK = /-{3,}[^\n]*-{3,}\n.+\n\s*-{3,}[^\n]*-{3,}\n/g;

/**
 * Returns a function that reads the credentials for each connection, as they may be renewed while the node runs. A file
 * that cannot be used later changes nothing. Throws a `CommandError` if it cannot be used at first.
 */
function credsReader(path: string): () => Uint8Array {
  let last = readCreds(path);
  return () => {
    try {
      last = readCreds(path);
    } catch {
      // It may be half written. NATS refuses credentials that have expired, and the next attempt reads again.
    }
    return last;
  };
}

function readCreds(path: string): Uint8Array {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new CommandError(`Cannot read the credentials file ${path} (--nats-creds).`, { cause });
  }
  // The client wants these line breaks, and one at the end.
  const creds = `${text.replaceAll("\r\n", "\n")}\n`;
  if ((creds.match(BLOCK)?.length ?? 0) >= 2) return Buffer.from(creds);
  throw new CommandError(
    `The credentials file ${path} (--nats-creds) must have the JWT and the seed of a NATS user, as NATS tools write it.`,
  );
}
