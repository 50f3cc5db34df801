import type { Server, WebSocketHandler } from "bun";
import { CommandError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import { type Certificate, type CertificateFiles, readCertificate } from "./certificate.ts";

export interface ListenerOptions<Data> {
  port: number;
  /** Seconds after which a quiet connection is closed. */
  idleS: number;
  /** Undefined for every address. */
  host: string | undefined;
  /** With them it speaks TLS only. */
  certificate: CertificateFiles | undefined;
  fetch: (request: Request, server: Server<Data>) => Response | Promise<Response>;
  websocket: WebSocketHandler<Data>;
  /** Answers a request whose handling threw. */
  onFault: () => Response;
  log: Log;
}

/** The port, and every connection that came by it. */
export interface Listener {
  /** The one taken, which is news where 0 was asked for. */
  readonly port: number;
  readonly pendingRequests: number;
  readonly pendingWebSockets: number;
  /** To every socket that subscribes to the topic. */
  publish(topic: string, text: string): void;
  /** How many sockets do. */
  subscriberCount(topic: string): number;
  /**
   * Reads the certificate's files again. New connections get the new certificate. Sockets and requests that are open
   * go on with the old one until they end; a connection that has just been opened, and has not yet agreed on TLS,
   * is cut and has to be opened again. Files that cannot be used are logged, and nothing changes.
   */
  reloadCertificate(): void;
  /** Takes no more connections, and resolves when the last one has ended; with `force` it ends them. */
  stop(force?: boolean): Promise<void>;
}

/** Throws a `CommandError` of one line where it cannot listen, or the certificate cannot be used. */
export function listen<Data>(options: ListenerOptions<Data>): Listener {
  const { certificate: files, log } = options;
  let certificate = files && readCertificate(files);
  const port = certificate ? freePort(options) : options.port;
  let current = serve(options, port, certificate);
  // The ones before it, as long as connections of theirs are open.
  const servers = new Set([current]);
  if (certificate) log.info("certificate_loaded", told(certificate));

  const retire = (server: Server<Data>) => {
    void server.stop().then(() => servers.delete(server));
  };
  // Bun cannot exchange the certificate of a server that listens, so another one takes its place on the port.
  const replace = (next: Certificate) => {
    const previous = current;
    if (process.platform !== "linux") retire(previous);
    current = serve(options, current.port ?? port, next);
    servers.add(current);
    if (process.platform === "linux") retire(previous);
  };
  return {
    port: current.port ?? port,
    get pendingRequests() {
      return sum(servers, (server) => server.pendingRequests);
    },
    get pendingWebSockets() {
      return sum(servers, (server) => server.pendingWebSockets);
    },
    publish(topic, text) {
      for (const server of servers) server.publish(topic, text);
    },
    subscriberCount: (topic) => sum(servers, (server) => server.subscriberCount(topic)),
    reloadCertificate() {
      if (!files) return;
      try {
        const next = readCertificate(files);
        const isSame = next.cert === certificate?.cert && next.key === certificate.key;
        if (!isSame) replace(next);
        certificate = next;
        log.info(isSame ? "certificate_unchanged" : "certificate_loaded", told(next));
      } catch (error) {
        log.error("certificate_refused", { cause: (error as Error).message });
      }
    },
    async stop(force = false) {
      await Promise.all([...servers].map((server) => server.stop(force)));
    },
  };
}

function serve<Data>(
  { host, idleS, fetch, websocket, onFault }: ListenerOptions<Data>,
  port: number,
  certificate: Certificate | undefined,
): Server<Data> {
  try {
    return Bun.serve<Data>({
      port,
      ...(host === undefined ? {} : { hostname: host }),
      ...(certificate && { tls: { cert: certificate.cert, key: certificate.key }, reusePort: true }),
      development: false,
      idleTimeout: idleS,
      // The routes refuse what is over the limit with an answer in their own shape.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch,
      websocket,
      error: onFault,
    });
  } catch (error) {
    throw cannotListen(host, port, error);
  }
}

/**
 * With `reusePort`, which a change of certificate needs, nothing would say that the port is in use by another server
 * of the same user; so it is taken once without.
 */
function freePort<Data>({ host, port }: ListenerOptions<Data>): number {
  try {
    const probe = Bun.serve({
      port,
      ...(host === undefined ? {} : { hostname: host }),
      fetch: () => new Response(null, { status: 503 }),
    });
    const taken = probe.port ?? port;
    void probe.stop(true);
    return taken;
  } catch (error) {
    throw cannotListen(host, port, error);
  }
}

function cannotListen(host: string | undefined, port: number, error: unknown): CommandError {
  const { code, message } = error as Error & { code?: string };
  const why =
    code === "EADDRINUSE"
      ? "the port is in use: stop what uses it, or choose another"
      : `${code ?? message.replaceAll("\n", " ")}`;
  return new CommandError(`cannot listen on ${host ?? "any address"}, port ${port}: ${why}`, {
    cause: error,
  });
}

function told({ names, validTo }: Certificate) {
  return { names, valid_to: validTo };
}

function sum<Data>(servers: Iterable<Server<Data>>, of: (server: Server<Data>) => number): number {
  let total = 0;
  for (const server of servers) total += of(server);
  return total;
}
