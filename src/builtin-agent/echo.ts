import { field, parseJson, textField } from "../json/parse.ts";
import type { Upstream } from "./upstream.ts";

/**
 * Returns an upstream that needs no model server: the model `echo` answers with the text of the last user
 * message, word by word if streamed, with its white space unchanged. It counts no tokens, so it reports no
 * usage.
 */
export function createEcho(): Upstream {
  return {
    label: "echo",
    check: async () => ({
      offer: { models: [{ id: "echo", owned_by: "chatgpt-api-server" }], endpoints: ["chat/completions"] },
    }),
    request: async (_endpoint, body) => answer(typeof body === "string" ? parseJson(body) : undefined),
  };
}

function answer(request: unknown): Response {
  const text = lastUserText(request);
  if (text === undefined) {
    const message = "`messages` must contain a message with the role `user` and a text.";
    const error = { message, type: "invalid_request_error", param: "messages", code: null };
    return Response.json({ error }, { status: 400 });
  }
  const base = {
    id: `chatcmpl-${crypto.randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model: textField(request, "model") ?? "echo",
  };
  if (field(request, "stream") === true) {
    const headers = { "content-type": "text/event-stream; charset=utf-8" };
    return new Response(events({ ...base, object: "chat.completion.chunk" }, text), { headers });
  }
  const message = { role: "assistant", content: text, refusal: null };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: "stop" }];
  return Response.json({ ...base, object: "chat.completion", choices });
}

async function* events(base: object, text: string): AsyncGenerator<string> {
  const chunk = (delta: object, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ ...base, choices: [{ index: 0, delta, logprobs: null, finish_reason }] })}\n\n`;
  yield chunk({ role: "assistant", content: "" });
  // Split after white space, so that the joined words are the text again.
  for (const word of text.match(/\S+\s*|\s+/g) ?? []) yield chunk({ content: word });
  yield chunk({}, "stop");
  yield "data: [DONE]\n\n";
}

function lastUserText(request: unknown): string | undefined {
  const messages = field(request, "messages");
  if (!Array.isArray(messages)) return undefined;
  const last = messages.findLast((message) => textField(message, "role") === "user");
  const content = field(last, "content");
  if (!Array.isArray(content)) return typeof content === "string" ? content : undefined;
  const texts = content.filter((part) => textField(part, "type") === "text");
  return texts.map((part) => textField(part, "text") ?? "").join("");
}
