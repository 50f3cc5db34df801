import { isIPv6 } from "node:net";
import { readSettings } from "../config/read.ts";
import { CommandError } from "../errors.ts";
import type { Io } from "./io.ts";

const LIMIT_MS = 5000;

/** Asks `GET /health` of the server at the URL, or of the one that the settings describe. */
export async function health(args: readonly string[], io: Io, limitMs = LIMIT_MS): Promise<number> {
  const { settings, positionals } = readSettings({ args, env: io.env }, ["port", "host", "tlsCert"]);
  const [given, ...more] = positionals;
  if (more.length > 0)
    throw new CommandError("more than one argument: give one URL, or none", { exitCode: 2 });
  const url = healthUrl(given ?? localAddress(settings));
  // The certificate is for the server's name, and on this machine it is asked by its address.
  const status = await statusOf(url, limitMs, given === undefined);
  if (status !== 200) throw new CommandError(`${url.origin}${url.pathname} answers ${status}, not 200`);
  io.out("OK\n");
  return 0;
}

interface LocalServer {
  port: number;
  host: string | undefined;
  tlsCert: string | undefined;
}

/** Its URL. An address that stands for all of them is asked by its loopback. */
export function localAddress({ port, host, tlsCert }: LocalServer): string {
  if (port === 0) throw new CommandError("port 0 is no address: give the server's URL", { exitCode: 2 });
  const name = host === undefined || host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${tlsCert === undefined ? "http" : "https"}://${isIPv6(name) ? `[${name}]` : name}:${port}`;
}

function healthUrl(text: string): URL {
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `http://${text}`);
  if (!url)
    throw new CommandError("the argument is no URL: give one such as http://127.0.0.1:8080", { exitCode: 2 });
  if (!url.pathname.endsWith("/health")) url.pathname = `${url.pathname.replace(/\/+$/, "")}/health`;
  return url;
}

/** Asks directly: a proxy of the environment does not know the server's own loopback. */
async function statusOf(url: URL, limitMs: number, anyCertificate: boolean): Promise<number> {
  try {
    const signal = AbortSignal.timeout(limitMs);
    const tls = { rejectUnauthorized: !anyCertificate };
    const response = await fetch(url, { signal, redirect: "manual", proxy: false, tls });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    const { name, code, message } = error as Error & { code?: string };
    const known = /refused/i.test(code ?? "") ? "connection refused" : (code ?? message);
    const reason = name === "TimeoutError" ? `no answer within ${limitMs / 1000} s` : known;
    throw new CommandError(`${url.origin}${url.pathname} cannot be reached: ${reason}`, { cause: error });
  }
}
