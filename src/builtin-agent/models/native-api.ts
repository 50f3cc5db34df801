import { field, parseBoundedJson } from "../../json/parse.ts";
import { bearer, requestText } from "../http.ts";

export interface LookUpOptions {
  key: string | undefined;
  limitMs: number;
  signal: AbortSignal;
}

const BODY_BYTES_MAX = 4 * 1024 * 1024;

/** An upstream's own API, beside the OpenAI-compatible one, for one check: each path is requested once. */
export class NativeApi {
  readonly #asked = new Map<string, Promise<unknown>>();

  /** `base` is the OpenAI-compatible base URL. */
  constructor(
    private readonly base: string,
    private readonly options: LookUpOptions,
  ) {}

  /** Returns the list of models, or undefined as `get` does. */
  list(): Promise<unknown> {
    return this.#request(`${this.base}/models`);
  }

  /** Returns the JSON of a good answer; undefined for any other, and for none in time. */
  get(path: string): Promise<unknown> {
    return this.#asked.getOrInsertComputed(path, () => this.#request(this.#urlOf(path)));
  }

  /** Does the same for a request with a body, each time it is called. */
  post(path: string, body: object): Promise<unknown> {
    return this.#request(this.#urlOf(path), body);
  }

  /** Returns the text of a good answer; undefined for any other, and for none in time. */
  async text(path: string): Promise<string | undefined> {
    return this.#requestText(this.#urlOf(path));
  }

  #urlOf(path: string): string {
    return this.base.replace(/\/v1$/, "") + path;
  }

  async #request(url: string, body?: object): Promise<unknown> {
    return parseBoundedJson((await this.#requestText(url, body)) ?? "");
  }

  async #requestText(url: string, body?: object): Promise<string | undefined> {
    const { key, ...limits } = this.options;
    try {
      const init = {
        headers: { "content-type": "application/json", ...bearer(key) },
        ...(body && { method: "POST", body: JSON.stringify(body) }),
      };
      const options = { init, bytesMax: BODY_BYTES_MAX, ...limits };
      const { response, text } = await requestText(url, options);
      return response.ok ? text : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Returns the field of that name if it is a list. */
export function listField(value: unknown, name: string): unknown[] | undefined {
  const list = field(value, name);
  return Array.isArray(list) ? list : undefined;
}
