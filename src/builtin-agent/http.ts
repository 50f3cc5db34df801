import { isLoopbackHost } from "../net/addresses.ts";
import { type ConnectErrorTexts, connectErrorTexts } from "../system-error.ts";

interface RequestTextOptions {
  init?: RequestInit & { proxy?: false };
  limitMs: number;
  bytesMax: number;
  signal?: AbortSignal;
}

/**
 * Calls fetch as every request to an upstream needs it: redirects are not followed, as they could lead
 * anywhere inside this network; there is no idle time-out, as a model may think for long; nothing is
 * compressed, as that would delay a stream; and addresses of this machine are called without a proxy.
 */
export function request(url: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("accept-encoding", "identity");
  const direct = isLoopbackHost(new URL(url).hostname) ? { proxy: false as const } : {};
  return fetch(url, { ...init, ...direct, headers, redirect: "manual", timeout: false });
}

/** Requests a response with its text, see `readText`. Rejects if it is not complete within `limitMs`. */
export async function requestText(
  url: string,
  { init = {}, limitMs, bytesMax, signal }: RequestTextOptions,
): Promise<{ response: Response; text: string | undefined }> {
  const limit = AbortSignal.timeout(limitMs);
  const response = await request(url, { ...init, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  return { response, text: await readText(response, bytesMax) };
}

/** Returns the body as unchanged text; undefined, with the rest unread, if it is longer than `bytesMax`. */
export async function readText(
  response: { body: AsyncIterable<Uint8Array> | null },
  bytesMax: number,
): Promise<string | undefined> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let text = "";
  let bytes = 0;
  // Leaving the loop cancels the body.
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > bytesMax) return undefined;
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}

/** Returns the header that carries a key; none without a key. */
export function bearer(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

/** Returns why a request failed, and whether no connection could be made at all. */
export function failureOf(error: unknown): ConnectErrorTexts & { unreachable: boolean } {
  const { name } = error as { name?: string };
  return { ...connectErrorTexts(error), unreachable: name !== "TimeoutError" && name !== "AbortError" };
}
