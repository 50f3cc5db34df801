import type { AddedField } from "../../../protocol/added-fields.ts";
import { readShape, refuse } from "../refuse.ts";
import { callIdsIn } from "../tool-calls.ts";
import { ToolNames } from "../tool-names.ts";
import { streamFields, type Translation, type TranslationContext, withoutNulls } from "../translation.ts";
import { messageOf } from "./answer.ts";
import { chatMessages } from "./history.ts";
import { ClientTool, JsonSchemaFormat, MessagesBody } from "./schema.ts";
import { MessagesStream } from "./stream.ts";
import { type GivenTool, offeredTools, type PlacedTool } from "./tool-changes.ts";

/**
 * Translates a request of Anthropic's Messages API (https://platform.claude.com/docs/en/api/messages) for an
 * upstream that has only chat completions. Throws `request_untranslatable` for what a chat completion cannot
 * express, and `body_invalid` for a request that is not valid; both name the field in `param`. The model's
 * reasoning is shown only to callers who have switched `thinking` on, as Anthropic does.
 */
export function translateMessages(body: unknown, { newId }: TranslationContext): Translation {
  const request = readShape(MessagesBody, body, "");
  const tools = offeredTools(request);
  const names = new ToolNames(tools.flatMap(({ tool: { name } }) => (name ? [name] : [])));
  const thinking = request.thinking?.type;
  const chat = chatRequest(request, tools, names);
  const options = {
    id: `msg_${newId()}`,
    model: request.model,
    showsThinking:
      (thinking === "enabled" || thinking === "adaptive") && request.thinking?.display !== "omitted",
    stopSequences: request.stop_sequences ?? [],
    nameOf: names.restore,
    newId,
    takenIds: callIdsIn(chat["messages"]),
  };
  return {
    request: chat,
    added: ADDED,
    answer: (chatBody, model = request.model) => JSON.stringify(messageOf(chatBody, { ...options, model })),
    stream: (model = request.model) => new MessagesStream({ ...options, model }),
  };
}

/**
 * An upstream may refuse these, and the answer is the same without them: the server added them, or they are hints
 * that Anthropic's API takes with every model. `max_tokens` has another name.
 */
const ADDED: readonly AddedField[] = [
  ...(["stream_options", "stream", "max_tokens", "parallel_tool_calls", "reasoning_effort", "user"] as const),
  ...(["tools.strict", "response_format.strict"] as const),
];

/** OpenAI refuses longer names, which Claude Code sends. */
const USER_LENGTH_MAX = 64;

/**
 * `high` is Anthropic's default, and Claude Code sends it with every request. It is left out, since most
 * upstreams refuse `reasoning_effort` for a model that does not reason. Other values are passed on in the
 * words that all upstreams know.
 */
const REASONING_EFFORT: Record<string, string | undefined> = {
  low: "low",
  medium: "medium",
  high: undefined,
  xhigh: "high",
  max: "high",
};

/**
 * Returns the body of the chat completion for a message.
 *
 * `thinking` is not translated. A model that reasons does so by itself, and most upstreams refuse
 * `reasoning_effort` for a model that does not, while Claude Code asks for thinking whatever the model. The
 * field only decides whether the caller is shown the reasoning. Other fields are left out because no word of
 * the answer depends on them: `cache_control`, `context_management` (it saves context), `diagnostics`,
 * `service_tier`, `speed`, `betas`, and unknown fields.
 */
function chatRequest(
  body: MessagesBody,
  tools: readonly PlacedTool[],
  names: ToolNames,
): Record<string, unknown> {
  refuseState(body);
  const user = body.metadata?.user_id;
  return {
    model: body.model,
    messages: chatMessages(body, names),
    // Not `max_completion_tokens`, which Ollama does not know. vLLM and llama.cpp take both.
    max_tokens: body.max_tokens,
    ...withoutNulls({
      temperature: body.temperature,
      top_p: body.top_p,
      top_k: body.top_k,
      stop: body.stop_sequences?.length ? body.stop_sequences : null,
      reasoning_effort: reasoningEffort(body),
      user: user && user.length <= USER_LENGTH_MAX ? user : null,
    }),
    ...chatTools(body, tools, names),
    ...responseFormat(body),
    ...streamFields(body.stream),
  };
}

/** With these details, the tool runners of the official packages go on without a thread. */
const NO_THREADS = { details: { error_code: "thread_unsupported_request", unsupported: [] } };

/** Refuses what Anthropic keeps on its side. */
function refuseState({ container, thread }: MessagesBody): void {
  if (container != null) throw refuse("container", "Containers run at Anthropic only. Leave the field out.");
  const noThreads = "This server keeps no threads. Send the whole conversation in `messages`.";
  if (thread != null) throw refuse("thread", noThreads, NO_THREADS);
}

function reasoningEffort({ output_config: config }: MessagesBody): string | undefined {
  const effort = config?.effort;
  if (effort == null) return undefined;
  if (Object.hasOwn(REASONING_EFFORT, effort)) return REASONING_EFFORT[effort];
  throw refuse("output_config.effort", `It must be one of: ${Object.keys(REASONING_EFFORT).join(", ")}.`);
}

function responseFormat({ output_config, output_format }: MessagesBody): Record<string, unknown> {
  const path = output_config?.format ? "output_config.format" : "output_format";
  const format = output_config?.format ?? output_format;
  if (!format) return {};
  if (format.type !== "json_schema") throw refuse(`${path}.type`, "Only `json_schema` is supported.");
  const { schema } = readShape(JsonSchemaFormat, format, path);
  // A chat completion must have a name for it, which Anthropic's format lacks.
  return { response_format: { type: "json_schema", json_schema: { name: "answer", schema, strict: true } } };
}

const ONLY_CALLERS_TOOLS =
  "Only tools with an `input_schema`, which the caller runs, can be chosen. Others are built into Anthropic's API and models.";

/**
 * Returns whether the tool is built into Anthropic's API or models: `web_search_…`, `bash_…`, `mcp_toolset`, or
 * one of tomorrow. Such tools are left out, as `mcp_servers` are, since an offer is not a demand: the model may
 * leave them unused. Only a `tool_choice` that needs one is refused.
 */
const isVendorsTool = ({ type, input_schema: schema }: GivenTool): boolean =>
  type != null && type !== "custom" && schema == null;

/**
 * Returns the tools for the chat completion, and which of them the model may or must call. `defer_loading`,
 * `eager_input_streaming`, `input_examples` and `cache_control` are left out, as tools work without them.
 */
function chatTools(
  { tool_choice: choice }: MessagesBody,
  tools: readonly PlacedTool[],
  names: ToolNames,
): Record<string, unknown> {
  const functions = tools.flatMap(({ tool, path }) =>
    isVendorsTool(tool) ? [] : [chatTool(tool, path, names)],
  );
  const chosen = choice?.type === "tool" ? names.shorten(choice.name ?? "") : undefined;
  if (choice?.type === "any" && functions.length === 0)
    throw refuse("tool_choice", `There are no tools to choose from. ${ONLY_CALLERS_TOOLS}`);
  if (chosen !== undefined && !functions.some((tool) => tool.function.name === chosen)) {
    const vendors = tools.find(({ tool }) => tool.name === choice?.name && isVendorsTool(tool));
    if (vendors)
      throw refuse(
        "tool_choice.name",
        `The type of the tool is \`${vendors.tool.type}\`. ${ONLY_CALLERS_TOOLS}`,
      );
    throw refuse("tool_choice.name", "It must be the name of one of the tools.");
  }
  if (functions.length === 0) return {};
  return {
    tools: functions,
    ...(choice && { tool_choice: chatChoice(choice.type, chosen) }),
    ...(choice?.disable_parallel_tool_use && { parallel_tool_calls: false }),
  };
}

function chatTool(tool: GivenTool, path: string, names: ToolNames) {
  const { name, description, input_schema: parameters, strict } = readShape(ClientTool, tool, path);
  const definition = {
    name: names.shorten(name),
    ...withoutNulls({ description: description || null, parameters, strict }),
  };
  return { type: "function", function: definition };
}

function chatChoice(
  type: NonNullable<MessagesBody["tool_choice"]>["type"],
  name: string | undefined,
): unknown {
  if (type === "tool") return { type: "function", function: { name } };
  return type === "any" ? "required" : type;
}
