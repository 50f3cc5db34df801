/** Stands for a host that nobody can have. */
const NO_HOST = "http://host.invalid";

/**
 * Returns the same request with a whole URL. The runtime leaves out the scheme and the host if `Host` is
 * missing or is not a host, and the router would take a part of the path for them.
 */
export function withWholeUrl(request: Request): Request {
  const { url } = request;
  if (/^https?:\/\//.test(url)) return request;
  const path = url.startsWith("/") ? url : "/";
  const whole = URL.parse(NO_HOST + path)?.href ?? `${NO_HOST}/`;
  // Another object would not be the one that the server knows the address and the time limit of.
  return Object.defineProperty(request, "url", { value: whole, configurable: true });
}
