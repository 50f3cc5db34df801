/** The hashes (`'sha256-…'`) of inline scripts and styles. */
export interface PagePolicy {
  scripts?: readonly string[];
  styles?: readonly string[];
}

/**
 * Returns the `Content-Security-Policy` of an HTML page of this server. It allows scripts, styles, images and
 * requests of this server, and inline ones by their hash. No site may put the page in a frame.
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

/** Returns the hash for `PagePolicy` of the text between the tags. */
export function inlineHash(text: string): string {
  return `'sha256-${Bun.SHA256.hash(text, "base64")}'`;
}
