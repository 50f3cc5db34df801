import { createHash, createHmac, createPublicKey, type KeyObject, sign } from "node:crypto";

/** A request body as ACME wants it: https://www.rfc-editor.org/rfc/rfc8555#section-6.2 */
export interface Jws {
  protected: string;
  payload: string;
  signature: string;
}

/** The key and its number that a CA issued outside of ACME, to bind accounts to a customer. */
export interface ExternalAccount {
  keyId: string;
  /** In base64url. */
  hmacKey: string;
}

/** Returns the public part of a P-256 key, its members in the order of https://www.rfc-editor.org/rfc/rfc7638. */
export function publicJwk(key: KeyObject): Record<"crv" | "kty" | "x" | "y", string> {
  const { crv = "", kty = "", x = "", y = "" } = createPublicKey(key).export({ format: "jwk" });
  return { crv, kty, x, y };
}

/** Returns what the CA expects at the address of a challenge (https://www.rfc-editor.org/rfc/rfc8555#section-8.1). */
export function keyAuthorization(token: string, key: KeyObject): string {
  const thumbprint = createHash("sha256")
    .update(JSON.stringify(publicJwk(key)))
    .digest("base64url");
  return `${token}.${thumbprint}`;
}

/** Signs a request with a P-256 key (ES256). Without a payload, it is a POST-as-GET. */
export function signJws(key: KeyObject, header: Record<string, unknown>, payload: unknown): Jws {
  const input = {
    protected: encode({ alg: "ES256", ...header }),
    payload: payload === undefined ? "" : encode(payload),
  };
  const signature = sign("sha256", signingInput(input), { key, dsaEncoding: "ieee-p1363" });
  return { ...input, signature: signature.toString("base64url") };
}

/** Returns the proof that the account's owner is the CA's customer. `url` is that of newAccount. */
export function bindExternalAccount({ keyId, hmacKey }: ExternalAccount, key: KeyObject, url: string): Jws {
  const input = {
    protected: encode({ alg: "HS256", kid: keyId, url }),
    payload: encode(publicJwk(key)),
  };
  const hmac = createHmac("sha256", Buffer.from(hmacKey, "base64url"));
  return { ...input, signature: hmac.update(signingInput(input)).digest("base64url") };
}

function signingInput(jws: Omit<Jws, "signature">): Buffer {
  return Buffer.from(`${jws.protected}.${jws.payload}`);
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
