import type { Server } from "bun";
import type { Challenges } from "./order.ts";

export interface HttpListenerOptions {
  port: number;
  /** Undefined to listen on every address. */
  host: string | undefined;
  /** The names that this server has. */
  domains: readonly string[];
  /** Returns the origin of the server for one of its names, such as `https://chat.example.com`. */
  originOf: (domain: string) => string;
  /** Returns the error that says why it cannot listen. */
  cannotListen: (cause: unknown) => Error;
}

export interface HttpListener extends Challenges {
  port: number;
  stop(): void;
}

const PREFIX = "/.well-known/acme-challenge/";
const IDLE_S = 10;
const BODY_BYTES_MAX = 1024;

/**
 * Answers the CA's checks, which come over plain HTTP, and redirects browsers to HTTPS. Other requests are refused: if
 * a program sent its key here and was redirected, the key would travel in the clear each time without anybody noticing.
 */
export function listenHttp(options: HttpListenerOptions): HttpListener {
  const { port, host, domains, originOf, cannotListen } = options;
  const answers = new Map<string, string>();
  const answer = (request: Request): Response => {
    const url = new URL(request.url);
    const known = url.pathname.startsWith(PREFIX) && answers.get(url.pathname.slice(PREFIX.length));
    if (known) return new Response(known, { headers: { "content-type": "application/octet-stream" } });
    const domain = domains.find((name) => name === url.hostname.replace(/\.$/, "")) ?? domains[0] ?? "";
    const target = `${originOf(domain)}${url.pathname}${url.search}`;
    if (request.method === "GET" || request.method === "HEAD")
      return new Response(null, { status: 308, headers: { location: target } });
    const text = `This port serves plain HTTP. Use ${originOf(domain)} instead.\n`;
    return new Response(text, { status: 403, headers: { "content-type": "text/plain; charset=utf-8" } });
  };
  const server = serve(port, host, answer, cannotListen);
  return {
    port: server.port ?? port,
    add(token, text) {
      answers.set(token, text);
      return () => void answers.delete(token);
    },
    stop: () => void server.stop(true),
  };
}

function serve(
  port: number,
  hostname: string | undefined,
  fetch: (request: Request) => Response,
  cannotListen: (cause: unknown) => Error,
): Server<undefined> {
  try {
    return Bun.serve({
      port,
      ...(hostname !== undefined && { hostname }),
      // As for the main port: otherwise Bun shares the port with any other server of the same user.
      reusePort: false,
      development: false,
      idleTimeout: IDLE_S,
      maxRequestBodySize: BODY_BYTES_MAX,
      fetch,
    });
  } catch (error) {
    throw cannotListen(error);
  }
}
