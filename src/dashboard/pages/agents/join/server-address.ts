import { text } from "../../../texts/texts.ts";
export interface ServerAddress {
  isSecure: boolean;
  /** Includes the port unless it is the scheme's default. IPv6 addresses are in brackets. */
  host: string;
}

export const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\]|::1)$/i;

/**
 * Reads what a person types: `host`, `host:port`, IPv6 with or without brackets, or a URL. Without a scheme,
 * `like` says whether the connection uses TLS. Returns undefined if the text is not an address.
 */
export function readServer(
  address: string,
  like: Pick<ServerAddress, "isSecure">,
): ServerAddress | undefined {
  const typed = address.trim();
  const [, scheme = like.isSecure ? "https" : "http", rest = typed] =
    /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(typed) ?? [];
  if (!/^(https?|wss?)$/i.test(scheme)) return undefined;
  const isSecure = /^(https|wss)$/i.test(scheme);
  const bare = /^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(rest) ? `[${rest}]` : rest;
  const url = readUrl(urlOf({ isSecure, host: bare }));
  // Browsers do not agree on which characters a host name may contain.
  if (!/^(\[[\da-f:.]+\]|[\w.-]+)$/i.test(url?.hostname ?? "") || url?.username || url?.password)
    return undefined;
  return url && { isSecure, host: url.host };
}

export function urlOf({ isSecure, host }: ServerAddress): string {
  return `${isSecure ? "https" : "http"}://${host}`;
}

/** Whether the address means the machine that uses it, so that it leads elsewhere on another machine. */
export function isLoopbackHost({ host }: ServerAddress): boolean {
  return LOOPBACK.test(host.replace(/:\d+$/, ""));
}

interface Proposal {
  /** The origin that the settings name for agents, if they name one. */
  publicUrl: string | undefined;
  /** The address in the browser. */
  page: ServerAddress;
  isCluster: boolean;
}

/**
 * Returns the address at which agents are likely to reach the server. Empty if only a person can tell: the page of a
 * cluster was opened on the machine of one of its nodes.
 */
export function proposedAddress({ publicUrl, page, isCluster }: Proposal): string {
  if (publicUrl !== undefined) return publicUrl;
  return isCluster && isLoopbackHost(page) ? "" : urlOf(page);
}

export function portOf({ isSecure, host }: ServerAddress): string {
  return /:(\d+)$/.exec(host)?.[1] ?? (isSecure ? "443" : "80");
}

/** Returns why the built-in agent would refuse the address of a model server; undefined if it accepts it. */
export function upstreamFault(upstream: string, server: ServerAddress): string | undefined {
  const url = /^https?:\/\//i.test(upstream.trim()) ? readUrl(upstream.trim()) : undefined;
  if (!url?.hostname) return text("join.upstream.fault.scheme", { example: "http://localhost:8000" });
  const isSecure = url.protocol === "https:";
  const isSame = hostAndPort({ isSecure, host: url.host }) === hostAndPort(server);
  return isSame ? text("join.upstream.fault.own") : undefined;
}

function hostAndPort(server: ServerAddress): string {
  const name = isLoopbackHost(server) ? "localhost" : server.host.replace(/:\d+$/, "");
  return `${name}:${portOf(server)}`;
}

function readUrl(address: string): URL | undefined {
  try {
    return new URL(address);
  } catch {
    return undefined;
  }
}
