import { isIPv4 } from "node:net";

/** Admits no character that could end the host part of a URL and start a path. */
const HOST = /^(?:\[([0-9a-f:.]{2,45})\]|([\w.~-]{1,253}))(?::\d{1,5})?$/i;

/**
 * Returns the host of a `Host` header, without its port; undefined if the header is invalid
 * (https://www.rfc-editor.org/rfc/rfc9110#section-7.2).
 */
export function readHost(header: string): { name: string; isAddress: boolean } | undefined {
  const [, bracketed, name] = HOST.exec(header) ?? [];
  if (bracketed !== undefined) return { name: bracketed.toLowerCase(), isAddress: true };
  if (name === undefined) return undefined;
  return { name: name.toLowerCase().replace(/\.$/, ""), isAddress: isIPv4(name) };
}

/**
 * Returns a function that tells whether a `Host` header names this machine: by an address, as `localhost`, or
 * by one of `names`. A web page can make a name of its own resolve to this machine (DNS rebinding), so that
 * its browser takes the server for the page's own. But the browser sends that name as `Host`.
 */
export function createOwnHosts(names: readonly string[]): (header: string) => boolean {
  const known = new Set(names.map((name) => name.toLowerCase()));
  return (header) => {
    const host = readHost(header);
    if (!host) return false;
    const { name, isAddress } = host;
    return isAddress || name === "localhost" || name.endsWith(".localhost") || known.has(name);
  };
}
