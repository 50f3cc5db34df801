import { type ChatRequest, Ollama, type Tool } from "ollama";
import type { ModelApi } from "./model-api.ts";

/** The official package as its users configure it. */
export const ollamaAt = ({ url, apiKey }: Pick<ModelApi, "url" | "apiKey">) =>
  new Ollama({ host: url, headers: { authorization: `Bearer ${apiKey}` } });

export const MODEL = "tiny";
export const TEXT = "two  words\n日本語 👩‍🔬, and many more of them so that there are several pieces";
export const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg==";
export const user = (content: string, more: object = {}) => ({ role: "user", content, ...more });
const tool = (name: string): Tool => ({
  type: "function",
  function: {
    name,
    description: name,
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
});
export const TOOLS = [tool("weather"), tool("news")];
export const chat = (content: string, more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: MODEL,
  messages: [user(content)],
  ...more,
});
