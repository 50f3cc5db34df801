import { readFileSync } from "node:fs";
import { connect, credsAuthenticator, type NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../clock.ts";
import { CommandError } from "../errors.ts";
import type { Log } from "../log/log.ts";

interface NatsOptions {
  servers: readonly string[];
  credsFile: string | undefined;
  nodeName: string;
  log: Log;
  clock: Clock;
}

export interface Nats {
  isUp(): boolean;
  /** Sends what is left, and closes the connection. Never rejects. */
  close(): Promise<void>;
}

/** How long a node tries to reach NATS at its start. */
const START_MS = 10_000;
const RECONNECT_MS = 250;

/** Connects, or throws a `CommandError` that says in one line why that fails. */
export async function connectNats({ servers, credsFile, nodeName }: NatsOptions): Promise<Nats> {
  const urls = servers.map((server) => new URL(server));
  const [first] = urls;
  const user = decodeURIComponent(first?.username ?? "");
  const pass = decodeURIComponent(first?.password ?? "");
  const login = user === "" ? {} : pass === "" ? { token: user } : { user, pass };
  const credentials =
    credsFile === undefined ? {} : { authenticator: credsAuthenticator(readCreds(credsFile)) };
  let connection: NatsConnection;
  try {
    connection = await connect({
      servers: urls.map(({ hostname, port }) => `${hostname}:${port || 4222}`),
      ...login,
      ...credentials,
      ...(urls.some(({ protocol }) => protocol === "tls:") ? { tls: {} } : {}),
      name: `chatgpt-api-server ${nodeName}`,
      timeout: START_MS,
      reconnectTimeWait: RECONNECT_MS,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
    });
  } catch (cause) {
    throw new CommandError("NATS cannot be reached (--nats).", { cause });
  }
  return {
    isUp: () => !connection.isClosed(),
    close: () => connection.drain().catch(() => {}),
  };
}

function readCreds(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new CommandError(`Cannot read the credentials file ${path} (--nats-creds).`, { cause });
  }
}
