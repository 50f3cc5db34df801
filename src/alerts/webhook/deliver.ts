import { printable } from "../../printable.ts";
import { connectErrorTexts } from "../../system-error.ts";
import { concealed } from "./conceal.ts";
import { bodyOf } from "./formats.ts";
import type { Message } from "./message.ts";
import type { WebhookSettings } from "./settings.ts";
import { signatureOf } from "./sign.ts";

/** How the receiver took a message. */
export interface Delivery {
  isDelivered: boolean;
  /** Whether the same message may be taken later. */
  isRetryable: boolean;
  /** The receiver's status; undefined if it did not answer. */
  status: number | undefined;
  /** The beginning of its answer, or why there is none: one printable line. */
  answer: string;
  /** When it wants to be asked again. */
  retryAfterMs: number | undefined;
}

/** Sends a message once. Never rejects. */
export type Deliver = (message: Message, to: WebhookSettings, stop: AbortSignal) => Promise<Delivery>;

const LIMIT_MS = 10_000;
const ANSWER_BYTES_MAX = 4_096;
const ANSWER_LENGTH_MAX = 200;

/**
 * Returns the function that posts messages. It follows no redirect, as the answer of a receiver must not choose where a
 * request of this server goes. `userAgent` names this program.
 */
export function createDeliver(userAgent: string, now: () => number, limitMs = LIMIT_MS): Deliver {
  return async (message, settings, stop) => {
    const { url, format, secret } = settings;
    const { headers, text } = bodyOf(message, format);
    const signed = secret === undefined ? {} : { "alert-signature": signatureOf(text, secret, now()) };
    const { href, authorization } = withoutLogin(url);
    // The limit is for the whole exchange, with the reading of the answer.
    const signal = AbortSignal.any([stop, AbortSignal.timeout(limitMs)]);
    try {
      const response = await fetch(href, {
        method: "POST",
        headers: { ...headers, ...signed, ...authorization, "alert-id": message.id, "user-agent": userAgent },
        body: text,
        redirect: "manual",
        signal,
      });
      const answer = await beginningOf(response, signal);
      return deliveryOf(response, shownAnswer(concealed(answer, settings)), now());
    } catch (error) {
      return {
        ...{ isDelivered: false, isRetryable: true, status: undefined, retryAfterMs: undefined },
        answer: failureText(error, signal, limitMs),
      };
    }
  };
}

/** A login in the address goes into its header: the runtime would not send it. */
function withoutLogin(address: string): { href: string; authorization: { authorization?: string } } {
  const url = new URL(address);
  if (url.username === "" && url.password === "") return { href: url.href, authorization: {} };
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = "";
  url.password = "";
  return {
    href: url.href,
    authorization: { authorization: `Basic ${Buffer.from(login).toString("base64")}` },
  };
}

function deliveryOf({ status, headers }: Response, answer: string, now: number): Delivery {
  const isRedirect = status >= 300 && status < 400;
  return {
    isDelivered: status >= 200 && status < 300,
    // Any other refusal is of the message or its address, and would be repeated.
    isRetryable: status >= 500 || status === 429 || status === 408,
    status,
    answer: isRedirect ? "it answers with a redirect, which is not followed" : answer,
    retryAfterMs: retryAfterMs(headers.get("retry-after"), now),
  };
}

/** Returns the wait that the header asks for, in seconds or as a date; undefined if it says none. */
function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d{1,9}(\.\d+)?$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

/** Returns an answer as one printable line. It is cut between characters. */
function shownAnswer(answer: string): string {
  const shown = printable(answer.replaceAll(/\s+/g, " ").trim());
  if (shown.length <= ANSWER_LENGTH_MAX) return shown;
  return shown.slice(0, ANSWER_LENGTH_MAX).replace(/[\uD800-\uDBFF]$|\\(u[0-9a-f]{0,3})?$/, "");
}

/** Reads the beginning of the answer, and drops the rest. */
async function beginningOf(response: Response, signal: AbortSignal): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return "";
  const late = new Promise<"late">((resolve) => {
    signal.addEventListener("abort", () => resolve("late"), { once: true });
  });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    while (bytes < ANSWER_BYTES_MAX) {
      const result = await Promise.race([reader.read(), late]);
      // The status is known: that the text does not come makes no difference.
      if (result === "late" || result.done) break;
      chunks.push(result.value);
      bytes += result.value.byteLength;
    }
  } catch {
    // What has come is enough.
  } finally {
    void reader.cancel().catch(() => {});
  }
  return Buffer.concat(chunks).subarray(0, ANSWER_BYTES_MAX).toString("utf8");
}

function failureText(error: unknown, signal: AbortSignal, limitMs: number): string {
  if (signal.aborted) return `it did not answer within ${Math.ceil(limitMs / 1000)} s`;
  return connectErrorTexts(error).reason;
}
