import { z } from "zod";

/**
 * Says what is wrong with a chat completion for an upstream that takes nothing but the documented fields, and
 * whose chat template is as strict as those of Qwen and Mistral. vLLM and llama.cpp send such texts.
 */
export interface Refusal {
  status: 400 | 500;
  message: string;
}

const text = z.string();
const number = z.number();
const flag = z.boolean();

const Part = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text }),
  z.strictObject({
    type: z.literal("image_url"),
    image_url: z.strictObject({ url: text, detail: z.enum(["auto", "low", "high"]).optional() }),
  }),
]);
const Call = z.strictObject({
  id: text.min(1),
  type: z.literal("function"),
  function: z.strictObject({ name: text.regex(/^[\w-]{1,64}$/), arguments: text }),
});
const Message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.literal("system"), content: text }),
  z.strictObject({ role: z.literal("user"), content: z.union([text, z.array(Part).min(1)]) }),
  z.strictObject({
    role: z.literal("assistant"),
    content: text.nullish(),
    tool_calls: z.array(Call).min(1).optional(),
    // No vendor documents it, and llama.cpp and vLLM take it.
    reasoning_content: text.optional(),
  }),
  z.strictObject({ role: z.literal("tool"), tool_call_id: text, content: text }),
]);
type Message = z.output<typeof Message>;

const Tool = z.strictObject({
  type: z.literal("function"),
  function: z.strictObject({
    name: text.regex(/^[\w-]{1,64}$/),
    description: text.optional(),
    parameters: z.looseObject({ type: z.literal("object") }).optional(),
    strict: flag.optional(),
  }),
});
const Choice = z.union([
  z.enum(["auto", "none", "required"]),
  z.strictObject({ type: z.literal("function"), function: z.strictObject({ name: text }) }),
]);
const Format = z.union([
  z.strictObject({ type: z.enum(["text", "json_object"]) }),
  z.strictObject({
    type: z.literal("json_schema"),
    json_schema: z.strictObject({
      name: text,
      schema: z.looseObject({}),
      strict: flag.optional(),
      description: text.optional(),
    }),
  }),
]);

/** https://platform.openai.com/docs/api-reference/chat/create */
export const StrictRequest = z.strictObject({
  model: text,
  messages: z.array(Message).min(1),
  stream: flag.optional(),
  stream_options: z.strictObject({ include_usage: flag.optional() }).optional(),
  tools: z.array(Tool).min(1).optional(),
  tool_choice: Choice.optional(),
  parallel_tool_calls: flag.optional(),
  response_format: Format.optional(),
  max_tokens: number.optional(),
  max_completion_tokens: number.optional(),
  temperature: number.optional(),
  top_p: number.optional(),
  n: z.literal(1).optional(),
  seed: number.optional(),
  stop: z.union([text, z.array(text)]).optional(),
  presence_penalty: number.optional(),
  frequency_penalty: number.optional(),
  logprobs: flag.optional(),
  top_logprobs: number.optional(),
  reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh"]).optional(),
  verbosity: z.enum(["low", "medium", "high"]).optional(),
  user: text.max(64).optional(),
});
export type StrictRequest = z.output<typeof StrictRequest>;

/**
 * Returns the request, or why it is refused. `unknown` are fields that this upstream does not know either; a name
 * such as `tools.strict` is that of a field `strict` somewhere in `tools`.
 */
export function readStrictly(body: unknown, unknown: readonly string[] = []): StrictRequest | Refusal {
  const { data, error } = StrictRequest.safeParse(body);
  if (!data) return invalid(error.issues[0]);
  const name = unknown.find((field) => hasField(data, field.split(".")));
  if (name !== undefined) return { status: 400, message: extra(["body", ...name.split(".")]) };
  const fault = templateFault(data) ?? toolsFault(data);
  return fault === undefined ? data : { status: 500, message: fault };
}

function hasField(value: unknown, [first = "", second]: readonly string[]): boolean {
  const inner = typeof value === "object" && value !== null && (value as Record<string, unknown>)[first];
  if (second === undefined) return inner !== undefined && inner !== false;
  return JSON.stringify(inner ?? null).includes(`"${second}":`);
}

const extra = (loc: readonly unknown[]) =>
  JSON.stringify([{ type: "extra_forbidden", loc, msg: "Extra inputs are not permitted" }]);

function invalid(issue: z.core.$ZodIssue | undefined): Refusal {
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys : [];
  const loc = ["body", ...(issue?.path ?? []), ...unknown.slice(0, 1)];
  const message =
    unknown.length > 0 ? extra(loc) : JSON.stringify([{ type: "value_error", loc, msg: issue?.message }]);
  return { status: 400, message };
}

const inTemplate = (message: string) => `Jinja Exception: ${message}`;

/** Returns what the chat template raises. */
function templateFault({ messages }: StrictRequest): string | undefined {
  if (messages.slice(1).some(({ role }) => role === "system"))
    return inTemplate("System message must be at the beginning.");
  if (!messages.some(({ role }) => role === "user")) return inTemplate("No user query found in messages.");
  const turns = messages.filter(({ role }) => role === "user" || role === "assistant");
  const faults = [
    ...messages.map((message, at) => orderFault(message, messages[at - 1])),
    ...turns.flatMap((message) => (message.role === "assistant" ? [callsFault(message, messages)] : [])),
  ];
  const fault = faults.find((found) => found !== undefined);
  return fault && inTemplate(fault);
}

function orderFault(message: Message, before: Message | undefined): string | undefined {
  const isTurn = message.role === "user" || message.role === "assistant";
  if (isTurn && message.role === before?.role)
    return "Conversation roles must alternate user/assistant/user/assistant/...";
  if (message.role !== "tool") return undefined;
  const isAfterCall = before?.role === "tool" || (before?.role === "assistant" && before.tool_calls);
  return isAfterCall ? undefined : "Tool response without a tool call.";
}

/** Returns what is wrong with an assistant's calls. Their results must be the messages that follow. */
function callsFault(message: Message & { role: "assistant" }, all: readonly Message[]): string | undefined {
  const calls = message.tool_calls ?? [];
  if (message.content == null && calls.length === 0) return "An assistant message is empty.";
  if (calls.some((call) => !isObject(call.function.arguments)))
    return "Can only get item pairs from a mapping.";
  const at = all.indexOf(message) + 1;
  const results = all.slice(at, at + calls.length);
  const answered = results.flatMap((result) => (result.role === "tool" ? [result.tool_call_id] : []));
  const isWhole = calls.every(({ id }) => answered.includes(id));
  return isWhole ? undefined : "Tool calls must be followed by their responses.";
}

function isObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function toolsFault({ tools, tool_choice }: StrictRequest): string | undefined {
  const names = (tools ?? []).map((tool) => tool.function.name);
  if (new Set(names).size < names.length) return "Two tools have the same name.";
  if (tool_choice !== undefined && names.length === 0)
    return "When using `tool_choice`, `tools` must be set.";
  return undefined;
}
