import { createHmac } from "node:crypto";

/**
 * Returns the header that proves that a message is from someone who knows the secret, and when it was sent:
 * `t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>" in hex>`.
 */
export function signatureOf(body: string, secret: string, now: number): string {
  const t = Math.floor(now / 1000);
  return `t=${t},v1=${createHmac("sha256", secret).update(`${t}.${body}`).digest("hex")}`;
}
