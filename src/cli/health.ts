import type { Config } from "../config/settings.ts";
import { CommandError, usageError } from "../errors.ts";
import { connectErrorTexts } from "../system-error.ts";
import { readArgs } from "./args.ts";
import { COMMANDS } from "./commands.ts";
import { scheme, type TlsSettings, withPort } from "./server-addresses.ts";
import type { Terminal } from "./terminal.ts";

/** Calls `GET /health` of the server at the URL, or of the server that the settings describe. */
export async function health(args: readonly string[], io: Terminal, limitMs = 5000): Promise<number> {
  const { settings, positionals } = readArgs({ args, env: io.env }, COMMANDS.health);
  const [given, ...more] = positionals;
  if (more.length > 0) throw usageError("There is more than one argument. Give one URL, or none.");
  const url = healthUrl(given ?? localAddress(settings));
  // The certificate names the public host. A server of this machine is called by its address.
  const status = await healthStatus(url, limitMs, given === undefined);
  if (status !== 200)
    throw new CommandError(`${url.origin}${url.pathname} responded with status ${status}, not 200.`);
  io.out("OK\n");
  return 0;
}

/** Returns the URL of a server on this machine. One that listens on every address is called by loopback. */
export function localAddress(config: Pick<Config, "port" | "host"> & TlsSettings): string {
  const { port, host } = config;
  if (port === 0) throw usageError("Port 0 stands for any free port. Give the server's URL.");
  const name = host === undefined || host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${scheme("http", config)}://${withPort(name, port)}`;
}

function healthUrl(text: string): URL {
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `http://${text}`);
  if (!url) throw usageError("The argument is not a URL. Give one such as http://127.0.0.1:8080.");
  if (!url.pathname.endsWith("/health")) url.pathname = `${url.pathname.replace(/\/+$/, "")}/health`;
  return url;
}

/**
 * Returns the status of the answer. Throws a `CommandError` if there is none. Sends the request directly: a proxy of the
 * environment does not know this machine's loopback address.
 */
export async function healthStatus(url: URL, limitMs: number, anyCertificate: boolean): Promise<number> {
  try {
    const signal = AbortSignal.timeout(limitMs);
    const tls = { rejectUnauthorized: !anyCertificate };
    const response = await fetch(url, { signal, redirect: "manual", proxy: false, tls });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    const isSlow = (error as Error).name === "TimeoutError";
    const words = isSlow ? `does not respond within ${limitMs / 1000} s` : connectErrorTexts(error).words;
    throw new CommandError(`${url.origin}${url.pathname} ${words}.`, { cause: error });
  }
}
