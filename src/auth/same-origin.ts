/**
 * Whether a request with a cookie comes from this server's own pages, or from the user typing an address.
 * Browsers say so in `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header). Without
 * that header, as over plain HTTP, they send the page's `Origin` with every request but a plain `GET`, and
 * with every WebSocket. Programs send neither header and are let in, as no page can make them send a cookie. The page's
 * origin is the server's if it has the host of the request, or is `publicUrl`, for which a proxy may send another host.
 */
export function isSameOrigin(headers: Headers, publicUrl?: string): boolean {
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  if (site === "same-origin") return true;
  // The user typed the address. Only `GET` and `HEAD` have no origin:
  // https://fetch.spec.whatwg.org/#origin-header.
  if (site === "none") return origin === null;
  if (site !== null) return false;
  return origin === null || origin === publicUrl || hasHost(origin, headers.get("host"));
}

/** Whether the `Origin`, if there is one, is this server's. */
export function isOwnOrigin(headers: Headers, publicUrl?: string): boolean {
  return headers.get("origin") === null || isSameOrigin(headers, publicUrl);
}

function hasHost(origin: string, host: string | null): boolean {
  const page = URL.parse(origin);
  return host !== null && page?.host === host.toLowerCase() && /^https?:$/.test(page.protocol);
}
