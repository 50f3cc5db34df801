import type { Server, WebSocketHandler } from "bun";
import type { Log } from "../log/log.ts";
import { type Certificate, type CertificateFiles, readCertificate } from "./certificate.ts";
import { cannotListen } from "./listen-error.ts";

export interface ListenerOptions<Data> {
  port: number;
  /** The seconds after which an idle connection is closed. */
  idleS: number;
  /** Undefined to listen on every address. */
  host: string | undefined;
  /** If given, the server speaks only TLS. */
  certificate: CertificateFiles | undefined;
  fetch: (request: Request, server: Server<Data>) => Response | Promise<Response>;
  websocket: WebSocketHandler<Data>;
  /** Returns the response to a request whose handler threw. */
  onFault: () => Response;
  log: Log;
}

/** The port and its connections. */
export type Listener = ReturnType<typeof listen>;

/** Throws a `CommandError` of one line if it cannot listen or the certificate cannot be used. */
export function listen<Data>(options: ListenerOptions<Data>) {
  const { certificate: files, log } = options;
  let certificate = files && readCertificate(files);
  const port = certificate ? probePort(options) : options.port;
  let current = serve(options, port, certificate);
  // The current server, and earlier ones that still have open connections.
  const servers = new Set([current]);
  if (certificate) log.info("certificate_loaded", logFieldsOf(certificate));

  const retire = (server: Server<Data>) => {
    void server.stop().then(() => servers.delete(server));
  };
  // Bun cannot change the certificate of a listening server, so a new server takes over the port.
  const replace = (next: Certificate) => {
    const previous = current;
    if (process.platform !== "linux") retire(previous);
    current = serve(options, current.port ?? port, next);
    servers.add(current);
    if (process.platform === "linux") retire(previous);
  };
  return {
    /** The port that is used, which the system chooses if the setting is 0. */
    port: current.port ?? port,
    /** The certificate that new connections get; undefined without TLS. */
    get certificate(): Certificate | undefined {
      return certificate;
    },
    get pendingRequests() {
      return sum(servers, (server) => server.pendingRequests);
    },
    get pendingWebSockets() {
      return sum(servers, (server) => server.pendingWebSockets);
    },
    /** Sends the text to every socket that subscribes to the topic. */
    publish(topic: string, text: string): void {
      for (const server of servers) server.publish(topic, text);
    },
    /** Returns how many sockets subscribe to the topic. */
    subscriberCount: (topic: string) => sum(servers, (server) => server.subscriberCount(topic)),
    /**
     * Reads the certificate files again. New connections get the new certificate. Open sockets and requests
     * continue with the old one until they end. A connection that was just opened, and is still in the TLS
     * handshake, is cut and must be opened again. Files that cannot be used are logged, and nothing changes.
     */
    reloadCertificate(): void {
      if (!files) return;
      try {
        const next = readCertificate(files);
        const isSame = next.cert === certificate?.cert && next.key === certificate.key;
        if (!isSame) replace(next);
        certificate = next;
        log.info(isSame ? "certificate_unchanged" : "certificate_loaded", logFieldsOf(next));
      } catch (error) {
        log.error("certificate_refused", { cause: (error as Error).message });
      }
    },
    /** Accepts no more connections, and resolves when the last one has ended. With `force`, ends them. */
    async stop(force = false): Promise<void> {
      await Promise.all([...servers].map((server) => server.stop(force)));
    },
  };
}

/**
 * The cipher suites of TLS 1.2 with forward secrecy and authenticated encryption. The runtime would also take the
 * key exchange by RSA and CBC. Those of TLS 1.3 all have both.
 */
const CIPHERS = ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"]
  .flatMap((encryption) => [`ECDHE-ECDSA-${encryption}`, `ECDHE-RSA-${encryption}`])
  .join(":");

function serve<Data>(
  { host, idleS, fetch, websocket, onFault }: ListenerOptions<Data>,
  port: number,
  certificate: Certificate | undefined,
): Server<Data> {
  try {
    return Bun.serve<Data>({
      port,
      ...(host !== undefined && { hostname: host }),
      ...(certificate && { tls: { cert: certificate.cert, key: certificate.key, ciphers: CIPHERS } }),
      // If left out, `development: false` shares the port with any other server of the same user.
      reusePort: certificate !== undefined,
      development: false,
      idleTimeout: idleS,
      // The routes refuse a body over the limit, in their own error style.
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
 * Returns the port, after binding it once without a certificate and so without `reusePort`. A change of the
 * certificate needs `reusePort`, but with it nothing would report that another server of the same user is
 * using the port.
 */
function probePort<Data>(options: ListenerOptions<Data>): number {
  const refuse = () => new Response(null, { status: 503 });
  const probe = serve({ ...options, fetch: refuse }, options.port, undefined);
  const port = probe.port ?? options.port;
  void probe.stop(true);
  return port;
}

function logFieldsOf({ names, validTo }: Certificate) {
  return { names, valid_to: validTo };
}

function sum<Data>(servers: ReadonlySet<Server<Data>>, of: (server: Server<Data>) => number): number {
  return [...servers].reduce((total, server) => total + of(server), 0);
}
