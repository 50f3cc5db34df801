import { isLoopback } from "./server-address.ts";

interface TextResponse {
  response: Response;
  /** The body; undefined if it is longer than allowed. */
  text: string | undefined;
}

/**
 * Calls fetch as every request to an upstream needs it: redirects are not followed, as they could lead
 * anywhere inside this network; there is no idle time-out, as a model may think for long; nothing is
 * compressed, as that would delay a stream; and addresses of this machine are called without a proxy.
 */
export function request(url: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("accept-encoding", "identity");
  const direct = isLoopback(new URL(url).hostname) ? { proxy: false as const } : {};
  return fetch(url, { ...init, ...direct, headers, redirect: "manual", timeout: false });
}

/** Requests a whole response. Rejects if it is not complete within `limitMs`. */
export async function requestText(
  url: string,
  { init = {}, limitMs, bytesMax, signal }: Limits & { init?: RequestInit },
): Promise<TextResponse> {
  const limit = AbortSignal.timeout(limitMs);
  const response = await request(url, { ...init, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  return { response, text: await readText(response, bytesMax) };
}

interface Limits {
  limitMs: number;
  bytesMax: number;
  signal?: AbortSignal;
}

/**
 * Returns the body as unchanged text. If it is longer than `bytesMax`, returns undefined and reads no
 * further.
 */
export async function readText(response: Response, bytesMax: number): Promise<string | undefined> {
  if (!response.body) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const pieces: string[] = [];
  let bytes = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes += part.value.byteLength;
    if (bytes > bytesMax) {
      await reader.cancel();
      return undefined;
    }
    pieces.push(decoder.decode(part.value, { stream: true }));
  }
  pieces.push(decoder.decode());
  return pieces.join("");
}

/** Returns why a request failed, in a few words without addresses, as callers may see them. */
export function reasonOf(error: unknown): { reason: string; unreachable: boolean } {
  const { name, code } = error as { name?: string; code?: string | number };
  if (name === "TimeoutError") return { reason: "no response in time", unreachable: false };
  const word = String(code ?? name ?? "unknown error");
  const known: Record<string, string> = {
    ECONNREFUSED: "connection refused",
    ConnectionRefused: "connection refused",
    ECONNRESET: "connection reset",
    ENOTFOUND: "unknown host",
  };
  return { reason: known[word] ?? word, unreachable: name !== "AbortError" };
}
