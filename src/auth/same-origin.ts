/**
 * Whether a request that a browser has put a cookie on was made by this server's own pages, or by the one in front of
 * the browser. Browsers say so themselves (https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header); those that do
 * not, as over plain HTTP, name the page's origin with whatever is not a plain `GET`, and with every WebSocket. Programs
 * say neither and are let in, as nobody makes them send a cookie.
 */
export function isSameOrigin(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  if (site === "same-origin") return true;
  // Somebody typed the address. Of `GET` and `HEAD` only there is no origin: https://fetch.spec.whatwg.org/#origin-header.
  if (site === "none") return origin === null;
  if (site !== null) return false;
  return origin === null || hasHost(origin, headers.get("host"));
}

/** Whether the origin, where there is one, is this server's; whatever else the browser says of the request. */
export function isOwnOrigin(headers: Headers): boolean {
  return headers.get("origin") === null || isSameOrigin(headers);
}

function hasHost(origin: string, host: string | null): boolean {
  const page = URL.parse(origin);
  return host !== null && page?.host === host.toLowerCase() && /^https?:$/.test(page.protocol);
}
