import type { SettingsAnswer } from "../../../api/types.ts";

export interface ServerAddress {
  isSecure: boolean;
  /** With the port where it is not the scheme's; IPv6 in brackets. */
  host: string;
}

/** What of the settings decides where an agent dials, and with what. */
export interface JoinRules {
  /** Nobody needs a key. */
  isOpen: boolean;
  /**
   * Where an agent on the server's own machine needs none; undefined where it does too, and so is as any other.
   */
  own: ServerAddress | undefined;
  /** It listens on this machine only; a proxy before it may still be reached. */
  isLocalOnly: boolean;
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\]|::1)$/i;
/** How the settings show that a value is not set. */
const UNSET = /^\(.*\)$/;

/** `page` is the address that the browser has, whose port is the server's where that took any free one. */
export function joinRules(settings: SettingsAnswer["settings"], page: ServerAddress): JoinRules {
  const given = (name: string): string | undefined => {
    const value = settings[name]?.value;
    return value === undefined || value === "" || UNSET.test(value) ? undefined : value;
  };
  const host = given("host");
  const port = given("port") ?? "0";
  const isOpen = given("agents") === "open";
  const isLocalOnly = host !== undefined && LOOPBACK.test(host);
  const isLocalReached = host === undefined || /^(0\.0\.0\.0|::)$/.test(host) || isLocalOnly;
  const isKeyAsked = given("agentKey") !== undefined || given("trustProxy") !== undefined;
  // Its certificate is hardly one for `localhost`.
  const hasOwn = isLocalReached && given("tlsCert") === undefined && (isOpen || !isKeyAsked);
  return {
    isOpen,
    own: hasOwn ? { isSecure: false, host: ownHost(host, port === "0" ? portOf(page) : port) } : undefined,
    isLocalOnly,
  };
}

function ownHost(host: string | undefined, port: string): string {
  const name = host === "::1" ? "[::1]" : host !== undefined && LOOPBACK.test(host) ? host : "127.0.0.1";
  return port === "80" ? name : `${name}:${port}`;
}

function portOf({ isSecure, host }: ServerAddress): string {
  return /:(\d+)$/.exec(host)?.[1] ?? (isSecure ? "443" : "80");
}

/**
 * Reads what a person types: `host`, `host:port`, IPv6 with or without brackets, or a URL. Without a scheme `like` says
 * whether it is by TLS. Undefined where it is no address.
 */
export function readServer(text: string, like: Pick<ServerAddress, "isSecure">): ServerAddress | undefined {
  const typed = text.trim();
  const [, scheme = like.isSecure ? "https" : "http", rest = typed] =
    /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(typed) ?? [];
  if (!/^(https?|wss?)$/i.test(scheme)) return undefined;
  const isSecure = /^(https|wss)$/i.test(scheme);
  const bare = /^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(rest) ? `[${rest}]` : rest;
  const url = readUrl(urlOf({ isSecure, host: bare }));
  // Browsers do not agree on which characters a name may have.
  if (!/^(\[[\da-f:.]+\]|[\w.-]+)$/i.test(url?.hostname ?? "") || url?.username || url?.password)
    return undefined;
  return url && { isSecure, host: url.host };
}

export function urlOf({ isSecure, host }: ServerAddress): string {
  return `${isSecure ? "https" : "http"}://${host}`;
}

/** On another machine it would be that machine. */
export function isLoopbackHost({ host }: ServerAddress): boolean {
  return LOOPBACK.test(host.replace(/:\d+$/, ""));
}

/** Why the built-in agent would not take it as the address of a model server; undefined where it does. */
export function upstreamFault(upstream: string, server: ServerAddress): string | undefined {
  const url = /^https?:\/\//i.test(upstream.trim()) ? readUrl(upstream.trim()) : undefined;
  if (!url?.hostname) return "Give it with its scheme, as http://localhost:8000.";
  const isSecure = url.protocol === "https:";
  const isSame = place({ isSecure, host: url.host }) === place(server);
  return isSame ? "This is this server's own address. Where does the model server listen?" : undefined;
}

function place(server: ServerAddress): string {
  const name = isLoopbackHost(server) ? "localhost" : server.host.replace(/:\d+$/, "");
  return `${name}:${portOf(server)}`;
}

function readUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
