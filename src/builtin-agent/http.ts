import { isLoopback } from "./address.ts";

interface TextAnswer {
  response: Response;
  /** Undefined where the body is longer than asked for. */
  text: string | undefined;
}

/**
 * Bun's own fetch with what every request to an upstream has: redirects are not followed, as they could lead
 * anywhere inside this network; no idle limit, as a model may think for long; nothing is compressed, so that a
 * stream is not held back; and no proxy for this machine's own addresses.
 */
export function request(url: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("accept-encoding", "identity");
  const direct = isLoopback(new URL(url).hostname) ? { proxy: false as const } : {};
  return fetch(url, { ...init, ...direct, headers, redirect: "manual", timeout: false });
}

/** A whole answer. Rejects when there is none within `limitMs`. */
export async function requestText(
  url: string,
  { init = {}, limitMs, bytesMax, signal }: Limits & { init?: RequestInit },
): Promise<TextAnswer> {
  const limit = AbortSignal.timeout(limitMs);
  const response = await request(url, { ...init, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  return { response, text: await readText(response, bytesMax) };
}

interface Limits {
  limitMs: number;
  bytesMax: number;
  signal?: AbortSignal;
}

/** The body as text, letter for letter; undefined, and the rest is not read, where it is longer than `bytesMax`. */
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

/** Why a request came to nothing, in a few words without addresses, which callers may see. */
export function reasonOf(error: unknown): { reason: string; unreachable: boolean } {
  const { name, code } = error as { name?: string; code?: string | number };
  if (name === "TimeoutError") return { reason: "no answer in time", unreachable: false };
  const word = String(code ?? name ?? "unknown error");
  const known: Record<string, string> = {
    ECONNREFUSED: "connection refused",
    ConnectionRefused: "connection refused",
    ECONNRESET: "connection reset",
    ENOTFOUND: "unknown host",
  };
  return { reason: known[word] ?? word, unreachable: name !== "AbortError" };
}
