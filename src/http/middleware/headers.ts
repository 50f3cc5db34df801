import { readHost } from "../../net/host.ts";

/** Where an answer is no page, nothing in it is to be run, framed or loaded by a browser. */
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'";

/** A year. Only for the name itself, as others below it are not ours. */
const HSTS = "max-age=31536000";

/** What a browser lets the page read. */
const EXPOSED_HEADERS = [
  "x-request-id",
  ...["retry-after", "retry-after-ms", "x-should-retry"],
  ...["limit", "remaining", "reset"].flatMap((name) => [
    `x-ratelimit-${name}-requests`,
    `x-ratelimit-${name}-tokens`,
  ]),
].join(", ");

/** Its type is not guessed, its address is told to no other site, and a page of any site may read it. */
const ALWAYS = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "access-control-allow-origin": "*",
  "access-control-expose-headers": EXPOSED_HEADERS,
};

/** Nobody keeps it, and it is no page, unless the route says otherwise. */
const UNLESS_SAID = { "cache-control": "no-store", "content-security-policy": NO_PAGE };

/**
 * What every answer has, with headers of its own. To be made once, for what is answered often: to copy them takes a
 * tenth of the time that it takes to set them one by one.
 */
export function commonHeaders(own: Record<string, string>): Headers {
  return new Headers({ ...ALWAYS, ...UNLESS_SAID, ...own });
}

/**
 * Adds what every answer has where it was not made with `commonHeaders`. Under TLS a browser is told to come by TLS
 * from now on; not for an address or `localhost`, where other servers of other ports would be meant too.
 */
export function completeHeaders(headers: Headers, request: Request): void {
  if (!headers.has("access-control-expose-headers")) {
    for (const [name, value] of Object.entries(ALWAYS)) headers.set(name, value);
    for (const [name, value] of Object.entries(UNLESS_SAID)) if (!headers.has(name)) headers.set(name, value);
  }
  if (request.url.startsWith("https:") && hasNameOfItsOwn(request.headers.get("host")))
    headers.set("strict-transport-security", HSTS);
}

function hasNameOfItsOwn(header: string | null): boolean {
  const host = readHost(header ?? "");
  return host !== undefined && !host.isAddress && !/(^|\.)localhost$/.test(host.name);
}
