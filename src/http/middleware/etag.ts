/**
 * Returns whether `If-None-Match` names the tag. RFC 9110 §13.1.2: a list of tags, some weak, as of a
 * compressing proxy.
 */
export function isNamed(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === etag);
}
