import { isIPv4 } from "node:net";

/** The parts of a `Host` header; undefined where it is none (https://www.rfc-editor.org/rfc/rfc9110#section-7.2). */
export function readHost(header: string): { name: string; isAddress: boolean } | undefined {
  const [, bracketed, name] = HOST.exec(header) ?? [];
  if (bracketed !== undefined) return { name: bracketed.toLowerCase(), isAddress: true };
  if (name === undefined) return undefined;
  return { name: name.toLowerCase().replace(/\.$/, ""), isAddress: isIPv4(name) };
}

/** Nothing that could end the host's part of a URL, and so become a path. */
const HOST = /^(?:\[([0-9a-f:.]{2,45})\]|([\w.~-]{1,253}))(?::\d{1,5})?$/i;

/**
 * Whether a name is one under which this machine knows itself: an address, `localhost`, or one of `names`. A page
 * can have a name of its own point to this machine (DNS rebinding), and its browser then takes the server for the
 * page's own; but it sends that name as `Host`.
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
