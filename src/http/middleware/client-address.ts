import { createNetworks, readAddress } from "../../net/addresses.ts";

/** Where a request comes from. */
export interface ClientAddress {
  /**
   * Of the caller, as `readAddress` gives it; undefined where there is none, as on a Unix socket. Behind a proxy that is
   * not trusted it is the proxy's.
   */
  address: string | undefined;
  /** A proxy stands between, trusted or not, or says so. */
  isForwarded: boolean;
  /** A trusted proxy has said where it comes from. */
  isVouched: boolean;
}

/** The part of Bun's server that is asked. */
interface Peers {
  requestIP(request: Request): { address: string } | null;
}

/** Tells where a request comes from. To be asked before an upgrade, as the server forgets the peer after it. */
export type ClientAddresses = (request: Request, server: Peers) => ClientAddress;

/** How far `X-Forwarded-For` and its like are believed. */
export type TrustProxy = { hops: number } | { networks: readonly string[] };

/** Headers by which a proxy tells that the request came from elsewhere. */
const PROXY_HEADERS = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-real-ip",
  "cf-connecting-ip",
];

/** More proxies than these stand in no row. */
const CHAIN_LENGTH_MAX = 64;

/**
 * Believes the headers only where the socket's peer is a trusted proxy, and of each header only what trusted
 * proxies have added, which is at its right end: whatever stands further left the caller may have made up.
 * A header that the proxy does not know it passes on as the caller sent it; so where `X-Forwarded-For`,
 * `Forwarded` and `X-Real-IP` disagree, none is believed and the proxy counts as the caller.
 */
export function createClientAddresses(trust: TrustProxy | undefined): ClientAddresses {
  const find = trust && createFinder(trust);
  return (request, server) => {
    const given = server.requestIP(request)?.address;
    const peer = given === undefined ? undefined : readAddress(given);
    const { headers } = request;
    const named = PROXY_HEADERS.some((name) => headers.has(name));
    if (!find || peer === undefined) return { address: peer, isForwarded: named, isVouched: false };
    const { address, isTrusted, isVouched } = find(peer, headers);
    return { address, isForwarded: named || isTrusted, isVouched };
  };
}

/** Whether a request came by TLS to this server, or to a trusted proxy before it that says so. */
export function createTlsCheck(trust: TrustProxy | undefined): (request: Request, server: Peers) => boolean {
  const isProxy = trust && "networks" in trust ? createNetworks(trust.networks) : () => trust !== undefined;
  return (request, server) => {
    if (request.url.startsWith("https:")) return true;
    const peer = readAddress(server.requestIP(request)?.address ?? "");
    if (peer === undefined || !isProxy(peer)) return false;
    const { headers } = request;
    const said = headers.get("x-forwarded-proto") ?? protoOf(headers.get("forwarded") ?? "");
    return said.split(",").some((proto) => proto.trim().toLowerCase() === "https");
  };
}

/** `for=192.0.2.60;proto=https`: https://www.rfc-editor.org/rfc/rfc7239#section-5.4. */
function protoOf(forwarded: string): string {
  return /(?:^|[;,])\s*proto="?(\w+)/i.exec(forwarded)?.[1] ?? "";
}

interface Found {
  address: string;
  /** The peer is a trusted proxy. */
  isTrusted: boolean;
  isVouched: boolean;
}

type Finder = (peer: string, headers: Headers) => Found;

function createFinder(trust: TrustProxy): Finder {
  const isProxy = "networks" in trust ? createNetworks(trust.networks) : undefined;
  const hops = "hops" in trust ? trust.hops : CHAIN_LENGTH_MAX;
  const walk = (peer: string, chain: readonly (string | undefined)[]): string => {
    let at = peer;
    for (const before of chain.slice(-CHAIN_LENGTH_MAX).reverse().slice(0, hops)) {
      if (before === undefined || isProxy?.(at) === false) return at;
      at = before;
    }
    return at;
  };
  return (peer, headers) => {
    if (isProxy?.(peer) === false) return { address: peer, isTrusted: false, isVouched: false };
    const found = new Set(chainsOf(headers).map((chain) => walk(peer, chain)));
    const [only = peer] = found.size === 1 ? found : [];
    return { address: only, isTrusted: true, isVouched: found.size > 0 };
  };
}

/** What each header says of the way, the nearest last. */
function chainsOf(headers: Headers): (string | undefined)[][] {
  const chains: (string | undefined)[][] = [];
  const forwardedFor = headers.get("x-forwarded-for");
  if (forwardedFor !== null) chains.push(forwardedFor.split(",").map(readNode));
  const forwarded = headers.get("forwarded");
  if (forwarded !== null) chains.push(forwarded.split(",").map(forOf));
  const realIp = headers.get("x-real-ip");
  if (realIp !== null) chains.push([readNode(realIp)]);
  return chains;
}

/** `for=192.0.2.60;proto=http`, `For="[2001:db8::1]:4711"`: https://www.rfc-editor.org/rfc/rfc7239#section-4. */
function forOf(element: string): string | undefined {
  const [, quoted, plain] = /(?:^|;)\s*for=(?:"([^"]*)"|([^;"\s]*))/i.exec(element) ?? [];
  return readNode(quoted ?? plain ?? "");
}

/** An address with or without a port, IPv6 in brackets where there is one. */
function readNode(text: string): string | undefined {
  const node = text.trim();
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(node)?.[1];
  return readAddress(bracketed ?? node.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1"));
}
