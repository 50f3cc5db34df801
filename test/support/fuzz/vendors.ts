import type { Json, ModelOutput } from "./answers.ts";

/**
 * Describes in which shape the server of a vendor sends an answer. The shapes are those of recorded answers at
 * `source`, written anew here: the fields, their order, which of them are null or absent, and the form of calls,
 * reasoning, usage and the end.
 */
export interface Vendor {
  name: string;
  source: string;
  /** The fields of a chunk, and of a whole answer, besides the choices. */
  base: Json;
  wholeBase?: Json;
  /** Comes before the first chunk. */
  first?: Json[];
  choice?: Json;
  message?: Json;
  role: "first" | "every";
  reasoning: "reasoning_content" | "reasoning" | "parts";
  calls: "fragments" | "whole";
  /** The marks of a call that come with its first, or only, fragment. */
  mark: (number: number) => Json;
  /** Whether later fragments of a call have its index. */
  repeatsIndex?: boolean;
  /** The finish reason of a chunk that is not the last; undefined if the field is absent. */
  unfinished?: null | "";
  endsWith: "last piece" | "own chunk";
  usage: "own chunk" | "with the end" | "every chunk" | "x_groq" | "none";
  usageBase?: Json;
  /** The usage of a chunk that tells none. */
  noUsage?: null;
  comment?: string;
  /** Its words for the endings, where they differ from OpenAI's. */
  words?: Partial<Record<ModelOutput["ending"], string>>;
}

const FILTERS = {
  hate: { filtered: false, severity: "safe" },
  violence: { filtered: false, severity: "safe" },
};
const created = 1_764_000_000;
const chunk = "chat.completion.chunk";

export const VENDORS: readonly Vendor[] = [
  {
    name: "OpenAI",
    source: "https://platform.openai.com/docs/api-reference/chat-streaming",
    base: {
      id: "chatcmpl-1",
      object: chunk,
      created,
      model: "gpt-4o",
      service_tier: "default",
      obfuscation: "aX",
    },
    choice: { logprobs: null },
    message: { refusal: null, annotations: [] },
    ...{ role: "first", reasoning: "reasoning_content", calls: "fragments", unfinished: null, noUsage: null },
    mark: (number) => ({ index: number, id: `call_${number}`, type: "function" }),
    ...{ repeatsIndex: true, endsWith: "own chunk", usage: "own chunk" },
    usageBase: { prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 } },
  },
  {
    name: "Azure OpenAI",
    source: "https://github.com/dto-btn/ssc-assistant (mergeOpenAiDelta/testHelpers/simple_chat.ts)",
    base: {
      created,
      id: "chatcmpl-2",
      model: "gpt-4o-2024-05-13",
      object: chunk,
      system_fingerprint: "fp_1",
    },
    first: [
      {
        choices: [],
        created: 0,
        id: "",
        model: "",
        object: "",
        prompt_filter_results: [{ prompt_index: 0, content_filter_results: FILTERS }],
      },
    ],
    choice: { content_filter_results: FILTERS, logprobs: null },
    message: { refusal: null },
    ...{ role: "first", reasoning: "reasoning_content", calls: "fragments", unfinished: null },
    mark: (number) => ({ index: number, id: `call_${number}`, type: "function" }),
    ...{ repeatsIndex: true, endsWith: "own chunk", usage: "own chunk" },
  },
  {
    name: "Groq",
    source: "https://console.groq.com/docs/api-reference",
    base: { id: "chatcmpl-3", object: chunk, created, model: "llama-3.3-70b", system_fingerprint: "fp_2" },
    first: [
      {
        id: "chatcmpl-3",
        object: chunk,
        created,
        choices: [
          { index: 0, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null },
        ],
        x_groq: { id: "req_1" },
      },
    ],
    choice: { logprobs: null },
    ...{ role: "first", reasoning: "reasoning", calls: "whole", unfinished: null },
    mark: (number) => ({ id: `fc_${number}`, type: "function", index: number }),
    ...{ endsWith: "own chunk", usage: "x_groq" },
    usageBase: { queue_time: 0.02, prompt_time: 0.01, total_time: 0.4 },
  },
  {
    name: "OpenRouter",
    source: "https://openrouter.ai/docs/api/reference/streaming",
    base: { id: "gen-4", provider: "Fireworks", model: "x/y", object: chunk, created },
    choice: { native_finish_reason: null, logprobs: null },
    message: { refusal: null, reasoning_details: [] },
    ...{ role: "every", reasoning: "reasoning", calls: "fragments", unfinished: null },
    mark: (number) => ({ index: number, id: `tool_${number}`, type: "function" }),
    ...{ repeatsIndex: true, endsWith: "own chunk", usage: "own chunk", comment: "OPENROUTER PROCESSING" },
  },
  {
    name: "DeepSeek",
    source: "https://api-docs.deepseek.com/api/create-chat-completion",
    base: { id: "5", object: chunk, created, model: "deepseek-reasoner", system_fingerprint: "fp_3" },
    choice: { logprobs: null },
    ...{ role: "first", reasoning: "reasoning_content", calls: "fragments", unfinished: null, noUsage: null },
    mark: (number) => ({ index: number, id: `call_0_${number}`, type: "function" }),
    ...{ repeatsIndex: true, endsWith: "own chunk", usage: "with the end", comment: "keep-alive" },
    usageBase: { prompt_cache_hit_tokens: 0, prompt_cache_miss_tokens: 5 },
  },
  {
    name: "Mistral",
    source: "https://docs.mistral.ai/capabilities/reasoning/",
    base: { id: "6", object: chunk, created, model: "magistral-medium" },
    message: { prefix: false },
    ...{ role: "first", reasoning: "parts", calls: "whole", unfinished: null },
    mark: (number) => ({ id: `D${number}`, index: number }),
    ...{ endsWith: "last piece", usage: "with the end" },
    words: { length: "model_length" },
  },
  {
    name: "Gemini",
    source: "https://ai.google.dev/gemini-api/docs/openai",
    base: { created, id: "7", model: "models/gemini-2.5-flash", object: chunk },
    message: { extra_content: { google: { thought_signature: "c2ln" } } },
    ...{ role: "every", reasoning: "reasoning_content", calls: "whole" },
    mark: () => ({ index: 0, id: "", type: "function" }),
    ...{ endsWith: "last piece", usage: "every chunk" },
  },
  {
    name: "Ollama",
    source: "https://github.com/g0t4/ask-openai.nvim (lua/ask-openai/backends/ollama/notes/sses.md)",
    base: { id: "chatcmpl-8", object: chunk, created, model: "qwen3:8b", system_fingerprint: "fp_ollama" },
    ...{ role: "every", reasoning: "reasoning", calls: "whole", unfinished: null },
    mark: (number) => ({ id: `call_h${number}`, index: number, type: "function" }),
    ...{ endsWith: "own chunk", usage: "own chunk" },
  },
  {
    name: "llama.cpp",
    source: "https://github.com/g0t4/ask-openai.nvim (lua/ask-openai/rewrites/harmony/NOTES.md)",
    base: {
      created,
      id: "chatcmpl-9",
      model: "gpt-oss:20b",
      system_fingerprint: "b6097-9515c613",
      object: chunk,
    },
    first: [
      {
        choices: [{ finish_reason: null, index: 0, delta: { role: "assistant", content: null } }],
        created,
        id: "chatcmpl-9",
        model: "gpt-oss:20b",
        object: chunk,
      },
    ],
    ...{ role: "first", reasoning: "reasoning_content", calls: "fragments", unfinished: null },
    mark: (number) => ({ index: number, id: `k${number}`, type: "function" }),
    ...{ repeatsIndex: true, endsWith: "own chunk", usage: "with the end" },
    usageBase: {},
  },
  {
    name: "vLLM",
    source: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
    base: { id: "chatcmpl-10", object: chunk, created, model: "Qwen/Qwen3-8B" },
    wholeBase: { prompt_logprobs: null, kv_transfer_params: null },
    choice: { logprobs: null, stop_reason: null },
    message: { function_call: null },
    ...{ role: "first", reasoning: "reasoning_content", calls: "fragments", unfinished: null },
    mark: (number) => ({ id: `chatcmpl-tool-${number}`, type: "function", index: number }),
    ...{ repeatsIndex: true, endsWith: "last piece", usage: "own chunk" },
  },
  {
    name: "LM Studio",
    source: "https://lmstudio.ai/docs/app/api/endpoints/openai",
    base: {
      id: "chatcmpl-11",
      object: chunk,
      created,
      model: "qwen2.5-7b",
      system_fingerprint: "qwen2.5-7b",
    },
    wholeBase: { stats: {} },
    choice: { logprobs: null },
    ...{ role: "first", reasoning: "reasoning_content", calls: "fragments", unfinished: null },
    mark: (number) => ({ index: number, id: `${365_174_485 + number}`, type: "function" }),
    ...{ repeatsIndex: true, endsWith: "own chunk", usage: "own chunk" },
  },
  {
    name: "Together",
    source: "https://docs.together.ai/reference/chat-completions-1",
    base: { id: "nz-12", object: chunk, created, model: "meta-llama/Llama-3.3-70B" },
    choice: { text: "", seed: null, logprobs: null },
    message: { token_id: 1 },
    ...{ role: "every", reasoning: "reasoning", calls: "fragments", unfinished: null, noUsage: null },
    mark: (number) => ({ index: number, id: `call_t${number}`, type: "function" }),
    ...{ repeatsIndex: true, endsWith: "own chunk", usage: "with the end" },
    words: { stop: "eos" },
  },
  {
    name: "xAI",
    source: "https://github.com/M-Lai-ai/LLM-Provider-reference (Grok/streaming.md)",
    base: { id: "13", object: chunk, created, model: "grok-3", system_fingerprint: "fp_6ca29cf396" },
    ...{ role: "every", reasoning: "reasoning_content", calls: "whole" },
    mark: (number) => ({ id: `call_x${number}`, index: number, type: "function" }),
    ...{ endsWith: "own chunk", usage: "every chunk" },
    usageBase: { prompt_tokens_details: { text_tokens: 38, cached_tokens: 0 }, num_sources_used: 0 },
  },
  {
    name: "DeepInfra",
    source: "https://github.com/M-Lai-ai/LLM-Provider-reference (DeepInfra/streaming.md)",
    base: { id: "chatcmpl-14", object: chunk, created, model: "meta-llama/Meta-Llama-3.1-70B" },
    message: { tool_calls: null },
    ...{ role: "every", reasoning: "reasoning_content", calls: "fragments", unfinished: null, noUsage: null },
    mark: (number) => ({ index: number, id: `call_d${number}`, type: "function" }),
    ...{ repeatsIndex: true, endsWith: "own chunk", usage: "with the end" },
  },
];
