import { createHmac, createPublicKey, verify } from "node:crypto";
import { z } from "zod";

const Jws = z.strictObject({ protected: z.string(), payload: z.string(), signature: z.string() });
const Header = z.object({
  alg: z.string(),
  nonce: z.string().optional(),
  url: z.string(),
  kid: z.string().optional(),
  jwk: z.record(z.string(), z.string()).optional(),
});

/** A request whose signature is right. */
export interface SignedRequest {
  header: z.output<typeof Header>;
  /** Undefined for a POST-as-GET. */
  payload: unknown;
  jwk: Record<string, unknown>;
}

/** Refuses a request with a problem of this type (RFC 8555, section 6.7). */
export class Refusal extends Error {
  readonly type: string;
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(type: string, status = 400, detail: string = type, headers: Record<string, string> = {}) {
    super(detail);
    this.type = `urn:ietf:params:acme:error:${type}`;
    this.status = status;
    this.headers = headers;
  }
}

const decode = (text: string): unknown => JSON.parse(Buffer.from(text, "base64url").toString("utf8"));

/** Checks the form and the signature of a request (ES256). `keyOf` returns the key of an account. */
export async function readSigned(
  request: Request,
  keyOf: (account: string) => Record<string, unknown> | undefined,
): Promise<SignedRequest> {
  if (request.headers.get("content-type") !== "application/jose+json") throw new Refusal("malformed", 415);
  if (!request.headers.get("user-agent")) throw new Refusal("malformed", 400, "no user agent");
  const jws = Jws.parse(await request.json());
  const header = Header.parse(decode(jws.protected));
  if (header.alg !== "ES256") throw new Refusal("badSignatureAlgorithm");
  if (header.url !== request.url) throw new Refusal("unauthorized", 401, "another url");
  if ((header.kid === undefined) === (header.jwk === undefined)) throw new Refusal("malformed");
  const jwk = header.jwk ?? keyOf(header.kid ?? "");
  if (jwk === undefined) throw new Refusal("accountDoesNotExist");
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const signature = Buffer.from(jws.signature, "base64url");
  const input = Buffer.from(`${jws.protected}.${jws.payload}`);
  if (!verify("sha256", input, { key, dsaEncoding: "ieee-p1363" }, signature))
    throw new Refusal("unauthorized");
  return { header, payload: jws.payload === "" ? undefined : decode(jws.payload), jwk };
}

/** Checks an external account binding (RFC 8555, section 7.3.4). */
export function checkBinding(
  binding: unknown,
  { kid, key, url, jwk }: { kid: string; key: string; url: string; jwk: Record<string, unknown> },
): void {
  if (binding === undefined) throw new Refusal("externalAccountRequired", 403);
  const jws = Jws.parse(binding);
  const expected = createHmac("sha256", Buffer.from(key, "base64url"))
    .update(`${jws.protected}.${jws.payload}`)
    .digest("base64url");
  const header = decode(jws.protected) as Record<string, unknown>;
  const isRight = header["alg"] === "HS256" && header["kid"] === kid && header["url"] === url;
  const isOwnKey = JSON.stringify(decode(jws.payload)) === JSON.stringify(jwk);
  if (!isRight || !isOwnKey || jws.signature !== expected) throw new Refusal("unauthorized", 401);
}
