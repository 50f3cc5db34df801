const SAFE = new Set(["http:", "https:", "mailto:"]);

/** Returns an address that a link may lead to; undefined for scripts, files, relative addresses and the like. */
export function safeHref(address: string): string | undefined {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return undefined;
  }
  return SAFE.has(url.protocol) ? url.href : undefined;
}
