import { isLoopbackHost } from "../net/addresses.ts";
import type { Endpoint } from "../protocol/agent-v2.ts";
import { type ConnectErrorTexts, connectErrorTexts } from "../system-error.ts";
import { ResponseBody } from "./response-body.ts";

/** The options of `fetch`, with headers that can be copied. */
interface PlainInit extends RequestInit {
  headers?: Record<string, string>;
  /** The proxy of the environment counts if this is left out. */
  proxy?: false | { url: string; respectNoProxy: boolean };
}

interface RequestTextOptions {
  init?: PlainInit;
  limitMs: number;
  bytesMax: number;
  signal?: AbortSignal;
}

/**
 * Calls fetch as every request to an upstream needs it: redirects are not followed, as they could lead
 * anywhere inside this network; there is no idle time-out, as a model may think for long; nothing is
 * compressed, as that would delay a stream; and addresses of this machine are called without a proxy.
 */
export function request(url: string, init: PlainInit): Promise<Response> {
  const headers = { ...init.headers, "accept-encoding": "identity" };
  const direct = isLoopbackHost(new URL(url).hostname) ? { proxy: false as const } : {};
  return fetch(url, { ...init, ...direct, headers, redirect: "manual", timeout: false });
}

/** Requests a response with its text, see `ResponseBody`. Rejects if it is not complete within `limitMs`. */
export async function requestText(
  url: string,
  { init = {}, limitMs, bytesMax, signal }: RequestTextOptions,
): Promise<{ response: Response; text: string | undefined }> {
  const limit = AbortSignal.timeout(limitMs);
  const response = await request(url, { ...init, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  return { response, text: await new ResponseBody(response).text(bytesMax) };
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

const ANTHROPIC_VERSION = "2023-06-01";

/** Whether an answer says that the key is wrong. */
export const isKeyRefusal = ({ status }: Response): boolean => status === 401 || status === 403;

/**
 * The key of an upstream, in the headers that the upstream takes: most take it as `Bearer`. Anthropic's own API wants it
 * in `x-api-key`, and takes a `Bearer` only for chat completions.
 */
export class UpstreamKey {
  #takesBearer = true;

  constructor(private readonly key: string | undefined) {}

  /** Requests the list of models with the key in one header, and in the other one if that is refused. */
  async list<Result extends { response: Response }>(
    request: (headers: Record<string, string>) => Promise<Result>,
  ): Promise<Result> {
    const byBearer = await request(bearer(this.key));
    this.#takesBearer = true;
    if (this.key === undefined || !isKeyRefusal(byBearer.response)) return byBearer;
    const byOwnHeader = await request(this.#anthropicHeaders());
    this.#takesBearer = isKeyRefusal(byOwnHeader.response);
    return byOwnHeader;
  }

  headersFor(endpoint: Endpoint): Record<string, string> {
    if (!endpoint.startsWith("messages")) return bearer(this.key);
    return { ...(this.#takesBearer && bearer(this.key)), ...this.#anthropicHeaders() };
  }

  #anthropicHeaders(): Record<string, string> {
    return {
      "anthropic-version": ANTHROPIC_VERSION,
      ...(this.key !== undefined && { "x-api-key": this.key }),
    };
  }
}
