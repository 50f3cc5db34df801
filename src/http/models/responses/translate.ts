import type { AddedField } from "../../../protocol/added-fields.ts";
import { readShape, refuse } from "../refuse.ts";
import { callIdsIn } from "../tool-calls.ts";
import { streamFields, type Translation, type TranslationContext, withoutNulls } from "../translation.ts";
import { withConfiguration } from "./configuration.ts";
import { readInput } from "./input.ts";
import { type RecalledInput, recallInput } from "./recall.ts";
import { JsonSchemaFormat, ResponsesBody } from "./schema.ts";
import { ResponsesStream } from "./stream.ts";
import { Tools } from "./tools.ts";

/**
 * Translates a request of OpenAI's Responses API (https://platform.openai.com/docs/api-reference/responses)
 * for an upstream that has only chat completions. Tools of the types `function`, `custom` and `namespace` are
 * kept. Throws `request_untranslatable` for what needs something that OpenAI keeps or runs itself, and
 * `body_invalid` for a request that is not valid; both name the field in `param`.
 */
export function translateResponses(body: unknown, context: TranslationContext): Translation {
  const given = readShape(ResponsesBody, body, "");
  const { responses } = context;
  const input = recallInput(given, responses);
  const request = withConfiguration(given, input);
  const tools = new Tools(request, input);
  const chat = chatRequest(request, input, tools);
  const answering = {
    ...context,
    isKept: request.store !== false && responses !== undefined,
    takenIds: callIdsIn(chat["messages"]),
  };
  const start = (model = request.model) => new ResponsesStream({ ...request, model }, tools, answering);
  return {
    request: chat,
    added: ADDED,
    answer: (chatBody, model) => JSON.stringify(start(model).whole(chatBody)),
    stream: start,
  };
}

/**
 * An upstream may refuse these, and the answer is the same without them: the server added them, or they are hints
 * that Codex CLI sends for every model. `max_tokens` has another name.
 */
const ADDED: readonly AddedField[] = [
  ...(["stream_options", "stream", "max_tokens", "parallel_tool_calls", "reasoning_effort"] as const),
  ...(["verbosity", "tools.strict", "messages.reasoning_content"] as const),
];

/** The fields that refer to something kept at OpenAI, with the reason for the refusal. */
const REFUSED: Record<string, string> = {
  prompt: "This server keeps no prompts. Send the text in `instructions` and `input`.",
};

/**
 * The fields of the Responses API that are translated one by one, or left out because no word of the answer
 * depends on them. All others, such as `seed`, `stop` or `top_k`, are for the caller's upstream and are
 * passed on unchanged.
 */
const OWN_FIELDS = new Set([
  ...Object.keys(ResponsesBody.shape),
  ...["stream_options", "max_tool_calls", "metadata", "client_metadata", "service_tier"],
  ...["truncation", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "moderation"],
  ...["safety_identifier", "context_management", "access_programs", "image", "messages", "n", "logprobs"],
  ...Object.keys(REFUSED),
]);

/** Returns the body of the chat completion for a response. */
function chatRequest(body: ResponsesBody, input: RecalledInput, tools: Tools): Record<string, unknown> {
  for (const [field, hint] of Object.entries(REFUSED)) {
    if (body[field] != null) throw refuse(field, hint);
  }
  if (body.background)
    throw refuse("background", "This server keeps no responses. Wait for the answer, or stream it.");
  return {
    ...Object.fromEntries(Object.entries(body).filter(([field]) => !OWN_FIELDS.has(field))),
    model: body.model,
    messages: readInput(body.instructions, input, tools),
    ...tools.request,
    ...sampling(body),
    ...responseFormat(body),
    ...streamFields(body.stream),
  };
}

function sampling(body: ResponsesBody): Record<string, unknown> {
  const logprobs = body.include?.includes("message.output_text.logprobs") || Boolean(body.top_logprobs);
  return withoutNulls({
    // Not `max_completion_tokens`, which Ollama does not know. vLLM and llama.cpp take both.
    max_tokens: body.max_output_tokens,
    temperature: body.temperature,
    top_p: body.top_p,
    logprobs: logprobs || null,
    top_logprobs: logprobs ? body.top_logprobs : null,
    reasoning_effort: body.reasoning?.effort,
    verbosity: body.text?.verbosity,
    user: body.user,
  });
}

function responseFormat({ text }: ResponsesBody): Record<string, unknown> {
  const format = text?.format;
  switch (format?.type) {
    case undefined:
    case null:
    case "text":
      return {};
    case "json_object":
      return { response_format: { type: "json_object" } };
    case "json_schema": {
      const { name, schema, description, strict } = readShape(JsonSchemaFormat, format, "text.format");
      const schemaFormat = withoutNulls({ name, schema, description: description || null, strict });
      return { response_format: { type: "json_schema", json_schema: schemaFormat } };
    }
    default:
      throw refuse("text.format.type", "Only `text`, `json_object` and `json_schema` are supported.");
  }
}
