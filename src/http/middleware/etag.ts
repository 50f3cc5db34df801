/** Whether `If-None-Match` names it. RFC 9110 §13.1.2: a list, each perhaps weak; proxies that compress make it so. */
export function isNamed(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === etag);
}
