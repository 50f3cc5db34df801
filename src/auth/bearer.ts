// Patterns are kept outside the functions, as the runtime would create them again at each call.
const SCHEME = /^bearer(?:[ \t]+|$)/i;
const NOT_ASCII = /[\x80-\xff]/;

/** Returns the key in `Authorization`, with or without `Bearer` before it; undefined without the header. */
export function readBearer(headers: Headers): string | undefined {
  const authorization = headers.get("authorization");
  return authorization === null ? undefined : decodeHeader(authorization.replace(SCHEME, ""));
}

/**
 * Decodes a header as UTF-8, in which keys are written. The runtime has one character for each byte (Fetch
 * §2.2, "isomorphic decode").
 */
export function decodeHeader(value: string): string {
  return NOT_ASCII.test(value) ? Buffer.from(value, "latin1").toString("utf8") : value;
}
