import type { X509Certificate } from "node:crypto";
import type { Clock } from "../clock.ts";
import { DAY_MS, HOUR_MS } from "../durations.ts";
import type { Connection } from "./connection.ts";
import { RenewalInfo } from "./shapes.ts";

/** When a certificate is to be renewed, and when to ask the CA again. Milliseconds since 1970. */
export interface RenewalTime {
  renewAt: number;
  askAt: number;
}

const ASK_MIN_MS = HOUR_MS;
const ASK_MAX_MS = DAY_MS;
const ASK_DEFAULT_MS = 6 * HOUR_MS;

/** Returns the validity of a certificate, in milliseconds since 1970. */
export function validityOf({ validFrom, validTo }: X509Certificate): { from: number; to: number } {
  return { from: Date.parse(validFrom), to: Date.parse(validTo) };
}

/**
 * Returns a time when a third of the life of the certificate is left, up to a thirtieth earlier, so that servers with
 * certificates of one day do not all renew at once. `random` is from 0 to 1.
 */
export function renewalByAge(certificate: X509Certificate, random: number): number {
  const { from, to } = validityOf(certificate);
  const lifeMs = to - from;
  return Math.round(to - lifeMs / 3 - (lifeMs / 30) * random);
}

/**
 * Returns the identifier of a certificate at its CA (https://www.rfc-editor.org/rfc/rfc9773#section-4.1); undefined if
 * the certificate does not name the key of its issuer.
 */
export function certificateId({ raw, serialNumber }: X509Certificate): string | undefined {
  const issuer = authorityKeyId(raw);
  if (issuer === undefined) return undefined;
  const hex = serialNumber.length % 2 === 0 ? serialNumber : `0${serialNumber}`;
  // An integer whose first bit is set would be negative.
  const serial = Buffer.from(/^[89a-f]/i.test(hex) ? `00${hex}` : hex, "hex");
  return `${issuer.toString("base64url")}.${serial.toString("base64url")}`;
}

const AUTHORITY_KEY_ID = Buffer.from("0603551d23", "hex");

/** The extension is an octet string with a sequence, in which the key's identifier is the first member, with tag 0. */
function authorityKeyId(der: Buffer): Buffer | undefined {
  const at = der.indexOf(AUTHORITY_KEY_ID);
  if (at < 0) return undefined;
  const extension = der.subarray(at + AUTHORITY_KEY_ID.length, at + 256);
  const idAt = 4;
  const [octets, , sequence, , tag, length = 0] = extension;
  const isShort = octets === 0x04 && sequence === 0x30 && tag === 0x80 && length < 0x80;
  return isShort ? extension.subarray(idAt + 2, idAt + 2 + length) : undefined;
}

interface AskOptions {
  connection: Connection;
  certificate: X509Certificate;
  /** The part of the window at which to renew, from 0 to 1, which stays the same for a certificate. */
  random: number;
  /** When the certificate was ordered, in ms since 1970. */
  orderedAt: number;
  clock: Pick<Clock, "now">;
}

/**
 * Asks the CA when to renew (ARI, RFC 9773). Resolves with undefined if it does not say. Rejects with an `AcmeError`. A
 * wrong time can neither let the certificate expire, nor order one after the other.
 */
export async function askRenewalTime(options: AskOptions): Promise<RenewalTime | undefined> {
  const { connection, certificate, random, orderedAt, clock } = options;
  const { renewalInfo } = connection.directory;
  const id = certificateId(certificate);
  if (renewalInfo === undefined || id === undefined) return undefined;
  const url = `${renewalInfo.replace(/\/$/, "")}/${id}`;
  const { body, retryAfterMs = ASK_DEFAULT_MS } = await connection.get(url, RenewalInfo);
  const start = Date.parse(body.suggestedWindow.start);
  const end = Math.max(Date.parse(body.suggestedWindow.end), start);
  const { from, to } = validityOf(certificate);
  const lifeMs = to - from;
  const earliest = orderedAt + Math.min(DAY_MS, lifeMs / 10);
  const wanted = Math.round(start + (end - start) * random);
  return {
    renewAt: Math.min(Math.max(wanted, earliest), to - lifeMs / 6),
    askAt: clock.now() + Math.min(Math.max(retryAfterMs, ASK_MIN_MS), ASK_MAX_MS),
  };
}
