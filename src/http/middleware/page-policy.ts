/** Hashes (`'sha256-…'`) of what is inline in a page. */
export interface PagePolicy {
  scripts?: readonly string[];
  styles?: readonly string[];
}

/**
 * The `Content-Security-Policy` of an HTML page of ours: its own scripts, styles and images, what is inline only by
 * its hash, requests to this server only, and no frame of any site around it.
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

/** As `PagePolicy` wants it, of the text between the tags. */
export function inlineHash(text: string): string {
  return `'sha256-${Bun.SHA256.hash(text, "base64")}'`;
}
