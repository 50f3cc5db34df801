import { createPublicKey, type KeyObject, sign } from "node:crypto";

/** The tags of DER that a request has. https://www.rfc-editor.org/rfc/rfc2986 and rfc5280 */
const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  sequence: 0x30,
  set: 0x31,
  dnsName: 0x82,
  attributes: 0xa0,
} as const;

const EXTENSION_REQUEST = Buffer.from("06092a864886f70d01090e", "hex");
const SUBJECT_ALT_NAME = Buffer.from("0603551d11", "hex");
const ECDSA_WITH_SHA256 = Buffer.from("06082a8648ce3d040302", "hex");

/**
 * Returns a certificate signing request in DER for these host names, which are in ASCII. The names are alternative names
 * only: a subject has room for one name of 64 characters. `key` is a P-256 key.
 */
export function createCsr(names: readonly string[], key: KeyObject): Buffer {
  const altNames = names.map((name) => der(TAG.dnsName, Buffer.from(name, "ascii")));
  const extension = der(TAG.sequence, SUBJECT_ALT_NAME, der(TAG.octetString, der(TAG.sequence, ...altNames)));
  const request = der(TAG.sequence, EXTENSION_REQUEST, der(TAG.set, der(TAG.sequence, extension)));
  const info = der(
    TAG.sequence,
    der(TAG.integer, Buffer.of(0)),
    der(TAG.sequence),
    createPublicKey(key).export({ type: "spki", format: "der" }),
    der(TAG.attributes, request),
  );
  const signature = sign("sha256", info, key);
  // The first byte of a bit string counts the unused bits.
  const bits = der(TAG.bitString, Buffer.of(0), signature);
  return der(TAG.sequence, info, der(TAG.sequence, ECDSA_WITH_SHA256), bits);
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag, ...derLength(content.length)), content]);
}

/** A length from 128 on is preceded by how many bytes it has. */
function derLength(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes = length < 0x100 ? [length] : [length >> 8, length & 0xff];
  return [0x80 | bytes.length, ...bytes];
}
