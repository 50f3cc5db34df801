import { createNetworks, readAddress } from "../../net/addresses.ts";

/** The origin of a request. */
export interface ClientAddress {
  /**
   * The caller's address, as `readAddress` returns it; undefined if there is none, as on a Unix socket.
   * Behind a proxy that is not trusted it is the proxy's.
   */
  address: string | undefined;
  /** Whether there is a proxy, trusted or not, or headers claim that there is one. */
  isForwarded: boolean;
  /** Whether a trusted proxy has reported the address. */
  isReportedByProxy: boolean;
}

/** The part of Bun's server that knows the peer of a request. */
export interface Peers {
  requestIP(request: Request): { address: string } | null;
}

/** Returns where a request comes from. Call it before an upgrade: the server forgets the peer then. */
export type ClientAddresses = (request: Request, server: Peers) => ClientAddress;

/** The proxies whose `X-Forwarded-For` and similar headers are trusted. */
export type TrustProxy = { hops: number } | { networks: readonly string[] };

/** The headers by which a proxy says that the request came from elsewhere. */
const PROXY_HEADERS = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
  "x-client-ip",
  "true-client-ip",
  "cf-connecting-ip",
];

/** No chain of proxies is longer. */
const CHAIN_LENGTH_MAX = 64;

/**
 * Trusts the headers only if the socket's peer is a trusted proxy. In each header it trusts only what trusted
 * proxies have added at the right end: the caller may have made up everything further left. A proxy passes on
 * a header that it does not know as the caller sent it. So if `X-Forwarded-For`, `Forwarded` and `X-Real-IP`
 * disagree, none is trusted, and the proxy counts as the caller. Written by hand, as it is stricter than
 * proxy-addr.
 */
export function createClientAddresses(trust: TrustProxy | undefined): ClientAddresses {
  const isProxy = createProxyCheck(trust);
  const hops = trust && "hops" in trust ? trust.hops : CHAIN_LENGTH_MAX;
  /** Follows the chain from the peer, as far as trusted proxies have reported it. */
  const follow = (peer: string, chain: readonly (string | undefined)[]): string => {
    let at = peer;
    for (const before of chain.slice(-CHAIN_LENGTH_MAX).reverse().slice(0, hops)) {
      if (before === undefined || !isProxy(at)) return at;
      at = before;
    }
    return at;
  };
  return (request, server) => {
    const { headers } = request;
    const peer = readAddress(server.requestIP(request)?.address ?? "");
    const isForwarded = PROXY_HEADERS.some((name) => headers.has(name));
    if (peer === undefined || !isProxy(peer)) return { address: peer, isForwarded, isReportedByProxy: false };
    const found = new Set(chainsOf(headers).map((chain) => follow(peer, chain)));
    const [only = peer] = found.size === 1 ? found : [];
    return { address: only, isForwarded: true, isReportedByProxy: found.size > 0 };
  };
}

/** Returns whether a request came by TLS to this server, or to a trusted proxy that says so. */
export function createTlsCheck(trust: TrustProxy | undefined): (request: Request, server: Peers) => boolean {
  const isProxy = createProxyCheck(trust);
  return (request, server) => {
    if (request.url.startsWith("https:")) return true;
    const peer = readAddress(server.requestIP(request)?.address ?? "");
    if (peer === undefined || !isProxy(peer)) return false;
    const { headers } = request;
    const protos = headers.get("x-forwarded-proto") ?? protoOf(headers.get("forwarded") ?? "");
    return protos.split(",").some((proto) => proto.trim().toLowerCase() === "https");
  };
}

/** Returns whether an address is a trusted proxy's. If only the hops are counted, every address may be. */
function createProxyCheck(trust: TrustProxy | undefined): (address: string) => boolean {
  return trust && "networks" in trust ? createNetworks(trust.networks) : () => trust !== undefined;
}

/** Reads `for=192.0.2.60;proto=https`: https://www.rfc-editor.org/rfc/rfc7239#section-5.4. */
function protoOf(forwarded: string): string {
  return /(?:^|[;,])\s*proto="?(\w+)/i.exec(forwarded)?.[1] ?? "";
}

/** Returns the chain of addresses in each header, the nearest last. */
function chainsOf(headers: Headers): (string | undefined)[][] {
  const realIp = headers.get("x-real-ip");
  return [
    headers.get("x-forwarded-for")?.split(",").map(readNode),
    headers.get("forwarded")?.split(",").map(forOf),
    realIp === null ? undefined : [readNode(realIp)],
  ].filter((chain) => chain !== undefined);
}

/**
 * Reads `for=192.0.2.60;proto=http` or `For="[2001:db8::1]:4711"`:
 * https://www.rfc-editor.org/rfc/rfc7239#section-4.
 */
function forOf(element: string): string | undefined {
  const [, quoted, plain] = /(?:^|;)\s*for=(?:"([^"]*)"|([^;"\s]*))/i.exec(element) ?? [];
  return readNode(quoted ?? plain ?? "");
}

/** Reads an address with or without a port. IPv6 with a port is in brackets. */
function readNode(text: string): string | undefined {
  const node = text.trim();
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(node)?.[1];
  return readAddress(bracketed ?? node.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1"));
}
