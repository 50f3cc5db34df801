import { field, parseJson, textField } from "../../json/parse.ts";
import { readUpstreamError } from "../../json/upstream-error.ts";
import { COUNT_ENDPOINT, type Endpoint, type Model } from "../../protocol/agent-v2.ts";
import { bearer, requestText } from "../http.ts";
import { listField, type NativeApi } from "./native-api.ts";

/** How an upstream counts the tokens of a chat. */
type Tokenizer =
  /** It has the endpoint itself, as newer versions of llama.cpp do. */
  | { kind: "endpoint" }
  /** llama.cpp: `/apply-template` makes the prompt, as for a chat completion, and `/tokenize` its tokens. */
  | { kind: "template" }
  /** vLLM: `/tokenize` takes a chat. Older versions ignore the tools. */
  | { kind: "chat"; countsTools: boolean };

/** No tokenizer takes long, and the ask has a slot meanwhile. */
const COUNT_MS = 10_000;
/** A million tokens take 7 MB. */
const BYTES_MAX = 32 * 1024 * 1024;

const SAMPLE = [{ role: "user", content: "Hello" }];
const SAMPLE_TOOLS = [
  { type: "function", function: { name: "look", description: "Look.", parameters: { type: "object" } } },
];

interface Upstream {
  api: NativeApi;
  listed: readonly Model[];
  /** Whether the upstream has the endpoint. */
  exists: (endpoint: Endpoint) => Promise<boolean>;
}

interface CountOptions {
  /** The OpenAI-compatible base URL. */
  base: string;
  signal: AbortSignal;
}

/**
 * Counts the input tokens of chat completions with the tokenizer of the upstream, if it has one. What comes out is what
 * its own template makes of the chat; nothing is ever estimated.
 */
export class TokenCounter {
  #tokenizer: Tokenizer | undefined;

  constructor(private readonly key: string | undefined) {}

  /**
   * Finds out whether the upstream has a tokenizer. Returns the endpoint for it, or none. Upstreams are recognized by the
   * owner of their models, so others get no such request. A router of llama.cpp would load a model for it.
   */
  async find({ api, listed, exists }: Upstream): Promise<readonly Endpoint[]> {
    const [model] = listed;
    this.#tokenizer = undefined;
    if (model?.owned_by === "vllm") this.#tokenizer = await vllmTokenizer(api, model.id);
    if (model?.owned_by === "llamacpp" && listed.length === 1)
      this.#tokenizer = (await exists(COUNT_ENDPOINT))
        ? { kind: "endpoint" }
        : await llamaCppTokenizer(api, model.id);
    return this.#tokenizer ? [COUNT_ENDPOINT] : [];
  }

  /** Whether the upstream has a tokenizer, and not the endpoint itself. */
  get isNeeded(): boolean {
    return this.#tokenizer !== undefined && this.#tokenizer.kind !== "endpoint";
  }

  /** Counts the tokens of a chat. Resolves with the response that the endpoint would have given. */
  async count(body: string, options: CountOptions): Promise<Response> {
    const tokenizer = this.#tokenizer;
    if (!tokenizer) return refusal("The upstream has no tokenizer.");
    const chat = parseJson(body);
    const obstacle = obstacleIn(chat, tokenizer);
    if (obstacle !== undefined) return refusal(obstacle);
    const model = field(chat, "model");
    if (tokenizer.kind === "chat") {
      const { messages, tools, chat_template_kwargs } = chat as Record<string, unknown>;
      return this.#tokens({ model, messages, tools, chat_template_kwargs }, options);
    }
    const { failure, value } = await this.#post("/apply-template", body, options);
    if (failure) return failure;
    const content = textField(value, "prompt");
    if (content === undefined) return refusal("The upstream made no prompt of it.");
    return this.#tokens({ model, content, add_special: true, parse_special: true }, options);
  }

  async #tokens(request: object, options: CountOptions): Promise<Response> {
    const { failure, value } = await this.#post("/tokenize", JSON.stringify(request), options);
    const count = countIn(value);
    if (failure) return failure;
    return count === undefined
      ? refusal("The upstream's tokenizer did not answer with tokens.")
      : Response.json({ input_tokens: count });
  }

  async #post(
    path: string,
    body: string,
    { base, signal }: CountOptions,
  ): Promise<{ failure?: Response; value?: unknown }> {
    const headers = { "content-type": "application/json", ...bearer(this.key) };
    const { response, text = "" } = await requestText(base.replace(/\/v1$/, "") + path, {
      init: { method: "POST", headers, body },
      ...{ limitMs: COUNT_MS, bytesMax: BYTES_MAX, signal },
    });
    if (response.ok) return { value: parseJson(text) };
    const { status } = response;
    // Another agent may do better. Otherwise the chat is at fault, or the template of the model.
    if (status >= 500 || status === 429 || status === 401 || status === 403)
      return { failure: new Response(text, response) };
    return { failure: refusal(readUpstreamError(text).message ?? `The upstream responded with ${status}.`) };
  }
}

async function vllmTokenizer(api: NativeApi, model: string): Promise<Tokenizer | undefined> {
  const chat = { model, messages: SAMPLE };
  const [plain, withTools] = await Promise.all([
    api.post("/tokenize", chat),
    api.post("/tokenize", { ...chat, tools: SAMPLE_TOOLS }),
  ]);
  const count = countIn(plain);
  if (count === undefined) return undefined;
  return { kind: "chat", countsTools: (countIn(withTools) ?? 0) > count };
}

async function llamaCppTokenizer(api: NativeApi, model: string): Promise<Tokenizer | undefined> {
  const [made, tokens] = await Promise.all([
    api.post("/apply-template", { model, messages: SAMPLE }),
    api.post("/tokenize", { model, content: "Hello" }),
  ]);
  const isThere = textField(made, "prompt") !== undefined && countIn(tokens) !== undefined;
  return isThere ? { kind: "template" } : undefined;
}

/** Returns the number of tokens in an answer of `/tokenize`: vLLM's `count`, or the length of the list. */
function countIn(value: unknown): number | undefined {
  const count = field(value, "count") ?? listField(value, "tokens")?.length;
  return Number.isSafeInteger(count) ? (count as number) : undefined;
}

/** Returns what in a chat cannot be counted, if anything. */
function obstacleIn(chat: unknown, tokenizer: Tokenizer): string | undefined {
  const messages = listField(chat, "messages");
  if (!messages?.length) return "It has no messages.";
  if (messages.some(hasMoreThanText)) return "It has more than text.";
  const ignoresTools = tokenizer.kind === "chat" && !tokenizer.countsTools;
  if (ignoresTools && listField(chat, "tools")?.length)
    return "The upstream's tokenizer does not count tools.";
  return undefined;
}

function hasMoreThanText(message: unknown): boolean {
  return (listField(message, "content") ?? []).some((part) => field(part, "type") !== "text");
}

/** Returns the answer for a chat that cannot be counted, for which clients estimate the tokens themselves. */
function refusal(reason: string): Response {
  const message = `The tokens of this request cannot be counted. ${reason}`;
  const error = { message, type: "not_found_error", param: null, code: "endpoint_not_supported" };
  return Response.json({ error }, { status: 404 });
}
