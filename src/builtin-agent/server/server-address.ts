import { isIPv6 } from "node:net";
import { usageError } from "../../errors.ts";
import { isLoopbackHost } from "../../net/addresses.ts";
import { type Environment, type HttpProxy, proxyFor } from "../../net/environment-proxy.ts";

export interface ServerAddress {
  /** The URL to register at: `ws://…/client/register`, without the agent key. */
  url: string;
  /** The address for people and logs. */
  label: string;
  /** The agent key, if the address has one. */
  key: string | undefined;
  /** The HTTP proxy on the way to the server. */
  proxy?: HttpProxy | undefined;
}

/** The server's default port. An address with a scheme has the port of its scheme instead. */
const DEFAULT_PORT = 8080;

/**
 * Reads a server's address as people write it: `host`, `host:port` or a URL (http, https, ws, wss), with or
 * without a path that ends in `/client/register` or `/agents/<key>`. Throws a `CommandError` for anything
 * else. The error does not repeat the address, as it may contain a key. The environment names the proxy.
 */
export function readServerAddress(text: string, env: Environment = {}): ServerAddress {
  const url = parse(text.trim());
  const secure = url.protocol === "https:" || url.protocol === "wss:";
  const path = url.pathname.replace(/\/+$/, "").replace(/\/client\/register$/, "");
  const [, prefix = "", key] = /^(.*?)(?:\/agents\/([^/]+))?$/.exec(path.replace(/\/+$/, "")) ?? [];
  const label = `${secure ? "wss" : "ws"}://${url.host}${prefix}`;
  const proxy = proxyFor(label, env);
  return { url: `${label}/client/register`, label, key: key && decode(key), proxy };
}

/** Whether two addresses name the same server. All names of this machine count as one. */
export function isSameServer(a: string, b: string): boolean {
  return hostAndPort(a) === hostAndPort(b);
}

function hostAndPort(address: string): string {
  const { protocol, hostname, port } = new URL(address);
  const host =
    isLoopbackHost(hostname) || hostname === "0.0.0.0" || hostname === "[::]" ? "localhost" : hostname;
  return `${host}:${port || (/^(https|wss):$/.test(protocol) ? 443 : 80)}`;
}

function parse(text: string): URL {
  const url = URL.parse(complete(text));
  if (!url?.hostname || !/^(https?|wss?):$/.test(url.protocol))
    throw usageError("Give the server's address, such as localhost:8080 or https://chat.example.com.");
  if (url.username || url.password || url.search || url.hash)
    throw usageError("Give the server's address without a user, a password, a query or a fragment.");
  return url;
}

/** Adds the scheme and the port if the address lacks them. */
function complete(text: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  const [, host = "", path = ""] = /^([^/?#]*)(.*)$/s.exec(text) ?? [];
  if (isIPv6(host)) return `ws://[${host}]:${DEFAULT_PORT}${path}`;
  return host && !/:\d+$/.test(host) ? `ws://${host}:${DEFAULT_PORT}${path}` : `ws://${text}`;
}

function decode(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
