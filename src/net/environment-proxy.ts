import { isIP } from "node:net";
import { createNetworks, isLoopbackHost, readAddress } from "./addresses.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** An HTTP proxy. */
export interface HttpProxy {
  /** The address, which may have a user and a password. It must not be shown. */
  url: string;
  /** The address for people and logs. */
  label: string;
  /** The variable of the environment that names it. */
  variable: string;
}

/**
 * Returns the HTTP proxy that the environment names for requests to a URL (http, https, ws or wss), as curl does:
 * `HTTPS_PROXY` or `HTTP_PROXY`, else `ALL_PROXY`, unless `NO_PROXY` has the host. Lower-case names come first. Hosts of
 * this machine never have one. A proxy that does not speak HTTP, such as one for SOCKS, does not count.
 */
export function proxyFor(url: string, env: Environment): HttpProxy | undefined {
  const { protocol, hostname, port } = new URL(url);
  if (isLoopbackHost(hostname)) return undefined;
  const isSecure = protocol === "https:" || protocol === "wss:";
  const names = [isSecure ? "HTTPS_PROXY" : "HTTP_PROXY", "ALL_PROXY"];
  const variable = names.flatMap((name) => [name.toLowerCase(), name]).find((name) => env[name]);
  const proxy = variable === undefined ? undefined : readProxy(env[variable] ?? "");
  if (variable === undefined || !proxy) return undefined;
  const exceptions = env["no_proxy"] || env["NO_PROXY"] || "";
  const host = {
    name: hostname.replace(/^\[|\]$/g, "").replace(/\.$/, ""),
    port: port || (isSecure ? "443" : "80"),
  };
  return isException(host, exceptions) ? undefined : { ...proxy, variable };
}

/** Returns the option of `fetch` that uses this proxy, or none, whatever the environment says. */
export function proxyOption(proxy: HttpProxy | undefined) {
  return { proxy: proxy ? { url: proxy.url, respectNoProxy: false } : (false as const) };
}

/** Returns the passwords of the proxies in the environment, as they stand there and decoded. */
export function proxySecrets(env: Environment): string[] {
  const names = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
  return names.flatMap((name) => {
    const proxy = readProxy(env[name] ?? "");
    const { password = "" } = proxy ? new URL(proxy.url) : {};
    return password === "" ? [] : [password, decoded(password)];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether the runtime sends a request for the URL through an HTTP proxy that the environment names. */
export function usesProxy(url: string, env: Environment): boolean {
  return proxyFor(url, env) !== undefined;
}

/** Returns undefined for a text that is not the address of an HTTP proxy. Without a scheme it is `http://`, as for curl. */
function readProxy(text: string): Pick<HttpProxy, "url" | "label"> | undefined {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (!url?.hostname || !/^https?:$/.test(url.protocol)) return undefined;
  return { url: url.href, label: `${url.protocol}//${url.host}` };
}

/** Whether the host is in a list of names, addresses and networks, each with a port or without. */
function isException(host: { name: string; port: string }, list: string): boolean {
  return list.split(/[\s,]+/).some((entry) => entry !== "" && matches(entry.toLowerCase(), host));
}

function matches(entry: string, { name, port }: { name: string; port: string }): boolean {
  if (entry === "*") return true;
  const [, bracketed, plain = "", entryPort] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [
    undefined,
    undefined,
    entry,
  ];
  if (entryPort !== undefined && entryPort !== port) return false;
  const wanted = bracketed ?? plain;
  if (isIP(name) > 0) return matchesAddress(wanted, name);
  const suffix = wanted.replace(/^\*?\./, "").replace(/\.$/, "");
  return suffix !== "" && (name === suffix || name.endsWith(`.${suffix}`));
}

/** Whether an address is the wanted one, or in the wanted network. */
function matchesAddress(wanted: string, name: string): boolean {
  const address = readAddress(name);
  const [base = "", bits] = wanted.split("/");
  const network = readAddress(base);
  if (address === undefined || network === undefined) return false;
  if (bits === undefined) return network === address;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > (network.includes(":") ? 128 : 32)) return false;
  return createNetworks([`${network}/${bits}`])(address);
}
