import type { Exchange } from "./exchange.ts";

/** Declares the 304 of a route whose answers have an ETag. */
export const NOT_MODIFIED = {
  description: "It is unchanged since the ETag in `If-None-Match`.",
  headers: ["etag"],
} as const;

/**
 * Returns the body or, if the caller already has it, a 304. `headers` are on both; the headers that describe
 * the body are not on the 304.
 */
export function etagResponse(
  { request }: Exchange,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> & { etag: string },
  bodyHeaders: Readonly<Record<string, string>>,
): Response {
  if (namesEtag(request.headers.get("if-none-match"), headers.etag))
    return new Response(null, { status: 304, headers });
  return new Response(body, { headers: { ...headers, ...bodyHeaders } });
}

/** Whether an `If-None-Match` or `If-Match` names the ETag. See RFC 9110 §13.1.2: the header is a list of tags. A compressing proxy makes some of them weak. */
export function namesEtag(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  return ifNoneMatch.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === etag);
}
