import { readHost } from "../auth/host.ts";

/** Where an answer is no page, nothing in it is to be run, framed or loaded by a browser. */
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'";

/** A year. Only for the name itself, as others below it are not ours. */
const HSTS = "max-age=31536000";

/**
 * What every answer has: its type is not guessed, its address is told to no other site, and nobody keeps it unless
 * the route says otherwise. Under TLS a browser is told to come by TLS from now on; not for an address or
 * `localhost`, where other servers of other ports would be meant too.
 */
export function setSecurityHeaders(headers: Headers, request: Request): void {
  headers.set("x-content-type-options", "nosniff");
  headers.set("referrer-policy", "no-referrer");
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  if (!headers.has("content-security-policy")) headers.set("content-security-policy", NO_PAGE);
  if (request.url.startsWith("https:") && hasNameOfItsOwn(request.headers.get("host")))
    headers.set("strict-transport-security", HSTS);
}

function hasNameOfItsOwn(header: string | null): boolean {
  const host = readHost(header ?? "");
  return host !== undefined && !host.isAddress && !/(^|\.)localhost$/.test(host.name);
}

/** Hashes (`'sha256-…'`) of what is inline in a page. */
export interface PagePolicy {
  scripts?: readonly string[];
  styles?: readonly string[];
}

/**
 * The `Content-Security-Policy` of an HTML page of ours: its own scripts, styles and images, what is inline only by
 * its hash, requests to this server only, and no frame of any site around it.
 */
export function pagePolicy({ scripts = [], styles = [] }: PagePolicy = {}): string {
  return [
    "default-src 'none'",
    `script-src ${["'self'", ...scripts].join(" ")}`,
    `style-src ${["'self'", ...styles].join(" ")}`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** As `PagePolicy` wants it, of the text between the tags. */
export function inlineHash(text: string): string {
  return `'sha256-${Bun.SHA256.hash(text, "base64")}'`;
}
