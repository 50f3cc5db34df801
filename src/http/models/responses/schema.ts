import { z } from "zod";

/**
 * The body of `POST /v1/responses`, as far as a chat completion can express it:
 * https://platform.openai.com/docs/api-reference/responses/create. `null` means absent, and unknown keys are
 * kept. The `type` of an item, content part or tool is read first, so that an unknown one can be named, and
 * the rest then with the schema of its kind.
 */
const text = z.string();
const optionalText = z.string().nullish();
const object = z.record(z.string(), z.unknown());

export const Typed = z.looseObject({ type: optionalText });
export type Typed = z.output<typeof Typed>;

export const ResponsesBody = z.looseObject({
  model: z.string().min(1).describe("One of `GET /v1/models`."),
  input: z
    .union([text, z.array(Typed)])
    .describe("A text, or items: messages, tool calls and their results."),
  instructions: optionalText.describe("Come before the input."),
  stream: z.boolean().nullish().describe("Send the answer as it is made."),
  background: z.boolean().nullish().describe("Is refused in a translation."),
  tools: z.array(Typed).nullish().describe("Functions and custom tools."),
  tool_choice: z.union([text, Typed]).nullish().describe("`auto`, `none`, `required`, or one tool."),
  parallel_tool_calls: z.boolean().nullish().describe("Whether several tools may be called at once."),
  max_output_tokens: z.number().nullish().describe("The greatest number of output tokens."),
  temperature: z.number().nullish().describe("As the upstream takes it."),
  top_p: z.number().nullish().describe("As the upstream takes it."),
  top_logprobs: z.number().nullish().describe("As the upstream takes it."),
  text: z
    .looseObject({ format: Typed.nullish(), verbosity: optionalText })
    .nullish()
    .describe("The format of the answer, and its verbosity."),
  reasoning: z.looseObject({ effort: optionalText }).nullish().describe("The `effort`."),
  include: z.array(text).nullish().describe("What else the answer must include."),
  user: optionalText.describe("Your name for the end user."),
});
export type ResponsesBody = z.output<typeof ResponsesBody>;

const Content = z.union([text, z.array(Typed)]);
export type MessageContent = z.output<typeof Content>;

export const InputItem = {
  message: z.object({ role: z.enum(["user", "assistant", "system", "developer"]), content: Content }),
  function_call: z.object({ call_id: text, name: text, namespace: optionalText, arguments: text }),
  custom_tool_call: z.object({ call_id: text, name: text, namespace: optionalText, input: text }),
  output: z.object({ call_id: text, output: Content }),
  reasoning: z.object({
    summary: z.array(z.object({ text })).nullish(),
    content: z.array(z.object({ text })).nullish(),
  }),
  item_reference: z.object({ id: text }),
};

export const ContentPart = {
  text: z.object({ text }),
  refusal: z.object({ refusal: text }),
  input_image: z.object({ image_url: optionalText, detail: optionalText }),
  input_audio: z.object({ input_audio: object }),
};

export const FunctionTool = z.object({
  name: text,
  description: optionalText,
  parameters: object.nullish(),
  strict: z.boolean().nullish(),
});
export const CustomTool = z.object({
  name: text,
  description: optionalText,
  format: z.object({ type: text, syntax: optionalText, definition: optionalText }).nullish(),
});
export const NamespaceTool = z.object({ name: text, description: optionalText, tools: z.array(Typed) });

export const NamedChoice = z.object({ name: text, namespace: optionalText });
export const AllowedChoice = z.object({ mode: z.enum(["auto", "required"]), tools: z.array(Typed) });

export const JsonSchemaFormat = z.object({
  name: text,
  schema: object,
  description: optionalText,
  strict: z.boolean().nullish(),
});
