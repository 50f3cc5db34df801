import { z } from "zod";
import {
  type AskedMessage,
  answerAsOllama,
  OLLAMA_MODELS,
  piecesOf,
  vectorOf,
  words,
} from "./ollama-answers.ts";
import { eventStream, json } from "./recording-upstream.ts";

const Part = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  image_url: z.looseObject({ url: z.string() }).optional(),
});
const Message = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(Part)]).nullish(),
  tool_call_id: z.string().optional(),
  tool_calls: z
    .array(z.looseObject({ id: z.string(), function: z.looseObject({ name: z.string() }) }))
    .optional(),
});
type Message = z.output<typeof Message>;
const Body = z.looseObject({
  model: z.string().default(""),
  stream: z.boolean().optional(),
  messages: z.array(Message).default([]),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).default([]),
  response_format: z.unknown().optional(),
  reasoning_effort: z.string().optional(),
  prompt: z.string().default(""),
  suffix: z.string().optional(),
  input: z.union([z.string(), z.array(z.string())]).default([]),
});
type Body = z.output<typeof Body>;

const refuse = (status: number, message: string) =>
  json({ error: { message, type: "invalid_request_error", param: null, code: null } }, { status });

/** Answers a request to the OpenAI-compatible API with what the own API answers. */
export function openaiFace(endpoint: string, given: unknown): Response {
  const body = Body.parse(given);
  if (!["chat/completions", "completions", "embeddings"].includes(endpoint))
    return refuse(404, "404 page not found");
  if (body.model === "") return refuse(400, "model is required");
  if (!OLLAMA_MODELS.some((name) => name === body.model))
    return refuse(404, `model '${body.model}' not found`);
  if (endpoint === "embeddings") return embeddings(body);
  return endpoint === "completions" ? completion(body) : chat(body);
}

function embeddings({ model, input }: Body): Response {
  const inputs = [input].flat();
  const data = inputs.map((text, index) => ({ object: "embedding", index, embedding: vectorOf(text) }));
  const count = words(inputs.join(" "));
  // The order of the list says nothing.
  return json({
    object: "list",
    model,
    data: data.toReversed(),
    usage: { prompt_tokens: count, total_tokens: count },
  });
}

function completion({ model, prompt, suffix = "", stream }: Body): Response {
  const text = `[${prompt}|${suffix}]`;
  const usage = { prompt_tokens: words(prompt), completion_tokens: 1, total_tokens: words(prompt) + 1 };
  const of = (part: string, finish_reason: string | null) => ({
    ...{ id: "cmpl-1", object: "text_completion", model },
    choices: [{ index: 0, text: part, finish_reason }],
  });
  if (!stream) return json({ ...of(text, "stop"), usage });
  return events([...piecesOf(text).map((piece) => of(piece, null)), of("", "stop"), { choices: [], usage }]);
}

function chat(body: Body): Response {
  const { model, messages, tools, stream } = body;
  const question = messages.at(-1)?.content;
  if (question === "refuse") return refuse(400, "invalid options: nonsense");
  const names = new Map(
    messages.flatMap(({ tool_calls = [] }) =>
      tool_calls.map((call) => [call.id, call.function.name] as const),
    ),
  );
  const made = answerAsOllama({
    model,
    messages: messages.map((message) => askedMessage(message, names)),
    tools: tools.map((tool) => tool.function.name),
    hasFormat: body.response_format !== undefined,
    thinks: body.reasoning_effort !== "none",
  });
  const { inputTokens: input, outputTokens: output } = made;
  const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
  const calls = made.calls.map((call, index) => ({
    ...{ index, id: `call_${index}`, type: "function" },
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }));
  const base = { id: "chatcmpl-1", object: "chat.completion", model };
  const finish_reason = calls.length > 0 ? "tool_calls" : "stop";
  if (!stream) {
    const reasoning = made.thinking && { reasoning: made.thinking };
    const message = { role: "assistant", content: made.text, ...reasoning, tool_calls: calls };
    return json({ ...base, choices: [{ index: 0, message, finish_reason }], usage });
  }
  const chunk = (delta: object, reason: string | null = null) => ({
    ...{ ...base, object: "chat.completion.chunk" },
    choices: [{ index: 0, delta, finish_reason: reason }],
  });
  const pieces = [
    ...piecesOf(made.thinking).map((piece) => chunk({ role: "assistant", content: "", reasoning: piece })),
    ...piecesOf(made.text).map((content) => chunk({ role: "assistant", content })),
    ...calls.map((call) => chunk({ tool_calls: [call] })),
  ];
  if (question === "fail in the middle")
    return events([...pieces.slice(0, 2), { error: { message: "an error was encountered" } }], false);
  if (question === "tear in the middle") return events(pieces.slice(0, 2), false);
  if (question === "never end") return eventStream(pieces.slice(0, 2).map(data), { stays: true });
  return events([...pieces, chunk({}, finish_reason), { choices: [], usage }]);
}

const data = (value: object) => `data: ${JSON.stringify(value)}`;
const events = (values: readonly object[], isWhole = true) =>
  eventStream([...values.map(data), ...(isWhole ? ["data: [DONE]"] : [])]);

function askedMessage(message: Message, names: ReadonlyMap<string, string>): AskedMessage {
  const { role, content, tool_call_id: id = "" } = message;
  const parts = typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);
  const urls = parts.flatMap((part) => ("image_url" in part && part.image_url ? [part.image_url.url] : []));
  return {
    role,
    text: parts.map((part) => part.text ?? "").join(""),
    images: urls.map((url) => url.replace(/^data:image\/png;base64,/, "")),
    tool: names.get(id),
  };
}
