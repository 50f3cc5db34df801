import { z } from "zod";

/**
 * The body of `POST /v1/responses`, as far as a chat completion can express it:
 * https://platform.openai.com/docs/api-reference/responses/create. `null` means absent, and unknown keys are
 * kept. The `type` of an item, content part or tool is read first, so that an unknown one can be named, and
 * the rest then with the schema of its kind.
 */
const text = z.string();
const optionalText = text.nullish();
const flag = z.boolean().nullish();
const number = z.number().nullish();
const object = z.record(z.string(), z.unknown());

export const Typed = z.looseObject({ type: optionalText });
export type Typed = z.output<typeof Typed>;

const Content = z.union([text, z.array(Typed)]);
export type MessageContent = z.output<typeof Content>;

const TextOptions = z.looseObject({ format: Typed.nullish(), verbosity: optionalText });
const Reasoning = z.looseObject({ effort: optionalText });

export const ResponsesBody = z.looseObject({
  model: text.min(1).describe("One of `GET /v1/models`."),
  input: Content.describe("A text, or items: messages, tool calls and their results."),
  instructions: optionalText.describe("Come before the input."),
  previous_response_id: optionalText.describe(
    "Continues an answer that the server or the upstream still keeps.",
  ),
  store: flag.describe("`false`: neither the server nor the upstream keeps the answer."),
  stream: flag.describe("Send the answer as it is made."),
  background: flag.describe("Answer at once, and work on: see `GET /v1/responses/{response_id}`."),
  conversation: z
    .union([text, z.looseObject({ id: text })])
    .nullish()
    .describe("A conversation of `/v1/conversations`, to which the input and the answer are added."),
  tools: z
    .array(Typed)
    .nullish()
    .describe("Tools of the caller. Those that run at OpenAI are left out when translated."),
  tool_choice: z.union([text, Typed]).nullish().describe("`auto`, `none`, `required`, or one tool."),
  parallel_tool_calls: flag.describe("Whether several tools may be called at once."),
  max_output_tokens: number.describe("The maximum number of output tokens."),
  temperature: number.describe("As the upstream takes it."),
  top_p: number.describe("As the upstream takes it."),
  top_logprobs: number.describe("As the upstream takes it."),
  text: TextOptions.nullish().describe("The format of the answer, and its verbosity."),
  reasoning: Reasoning.nullish().describe("The `effort`."),
  include: z.array(text).nullish().describe("What else the answer must include."),
  user: optionalText.describe("Your name for the end user."),
});
export type ResponsesBody = z.output<typeof ResponsesBody>;

/** Returns the id of the conversation that a request names; undefined if it names none. */
export function conversationIdOf({ conversation }: Pick<ResponsesBody, "conversation">): string | undefined {
  return typeof conversation === "string" ? conversation : (conversation?.id ?? undefined);
}

const Texts = z.array(z.object({ text })).nullish();
export const InputItem = {
  message: z.object({ role: z.enum(["user", "assistant", "system", "developer"]), content: Content }),
  call: z.object({ call_id: text, name: text, namespace: optionalText }),
  function_call: z.object({ arguments: text }),
  custom_tool_call: z.object({ input: text }),
  output: z.object({ call_id: text, output: Content }),
  reasoning: z.object({ summary: Texts, content: Texts }),
  item_reference: z.object({ id: text }),
  additional_tools: z.object({ tools: z.array(Typed).nullish() }),
  configuration_update: z.object({ reasoning: Reasoning.nullish(), text: TextOptions.nullish() }),
};

export const ContentPart = {
  text: z.object({ text }),
  refusal: z.object({ refusal: text }),
  input_image: z.object({ image_url: optionalText, detail: optionalText }),
  input_audio: z.object({ input_audio: object }),
};

const Named = z.object({ name: text, description: optionalText });
const Grammar = z.object({ type: text, syntax: optionalText, definition: optionalText });
export const Tool = {
  function: Named.extend({ parameters: object.nullish(), strict: flag }),
  custom: Named.extend({ format: Grammar.nullish() }),
  namespace: Named.extend({ tools: z.array(Typed) }),
};

export const ToolChoice = {
  named: z.object({ name: text, namespace: optionalText }),
  allowed: z.object({ mode: z.enum(["auto", "required"]), tools: z.array(Typed) }),
};

export const JsonSchemaFormat = Named.extend({ schema: object, strict: flag });
