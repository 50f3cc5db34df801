import { z } from "zod";

/**
 * The body of `POST /v1/messages`, as far as a chat completion can express it:
 * https://platform.claude.com/docs/en/api/messages. `null` means absent, and unknown keys are ignored. The
 * `type` of a content block, source or tool is read first, so that an unknown one can be named, and the rest
 * then with the schema of its kind.
 */
const text = z.string();
const optionalText = text.nullish();
const flag = z.boolean().nullish();
const number = z.number().nullish();

const Typed = z.looseObject({ type: text });
export type Typed = z.output<typeof Typed>;

export const Content = z.union([text, z.array(Typed)]);
export type Content = z.output<typeof Content>;

const Message = z.object({ role: z.enum(["user", "assistant", "system"]), content: Content });
const AnyTool = z.looseObject({ type: optionalText, name: optionalText });
const ToolChoice = z.object({
  type: z.enum(["auto", "any", "tool", "none"]),
  name: optionalText,
  disable_parallel_tool_use: flag,
});
const Thinking = z.object({ type: text, display: optionalText });
const Format = Typed.nullish();
const OutputConfig = z.object({ effort: optionalText, format: Format });
const Metadata = z.object({ user_id: optionalText });

export const MessagesBody = z.object({
  model: text.min(1).describe("One of `GET /v1/models`."),
  max_tokens: z.int().positive().describe("The maximum number of output tokens."),
  messages: z.array(Message).min(1).describe("The conversation so far."),
  system: Content.nullish().describe("Comes before the messages."),
  stream: flag.describe("Send the answer as it is made."),
  stop_sequences: z.array(text).nullish().describe("Texts that end the answer."),
  temperature: number.describe("As the upstream takes it."),
  top_p: number.describe("As the upstream takes it."),
  top_k: number.describe("As the upstream takes it."),
  tools: z
    .array(AnyTool)
    .nullish()
    .describe("Tools of the caller. Those that run at Anthropic are left out when translated."),
  tool_choice: ToolChoice.nullish().describe("`auto`, `any`, `none`, or one tool."),
  thinking: Thinking.nullish().describe("Whether the model thinks first."),
  output_config: OutputConfig.nullish().describe("The format of the answer, and the effort."),
  output_format: Format.describe("The former place of the format."),
  metadata: Metadata.nullish().describe("`user_id` is your name for the end user."),
  container: z.unknown().optional().describe("Not supported when translated."),
  mcp_servers: z.array(z.unknown()).nullish().describe("Left out when translated."),
  thread: z.unknown().optional().describe("Not supported when translated."),
});
export type MessagesBody = z.output<typeof MessagesBody>;

const citations = z.object({ enabled: flag }).nullish();

export const Block = {
  text: z.object({ text }),
  image: z.object({ source: Typed }),
  document: z.object({ source: Typed, title: optionalText, context: optionalText, citations }),
  search_result: z.object({ source: text, title: text, content: Content, citations }),
  tool_use: z.object({ id: text, name: text, input: z.unknown().optional() }),
  tool_result: z.object({ tool_use_id: text, content: Content.nullish(), is_error: flag }),
  tool_reference: z.object({ tool_name: text }),
  compaction: z.object({ content: optionalText }),
};

export const Source = {
  base64: z.object({ media_type: text, data: text }),
  url: z.object({ url: text }),
  text: z.object({ data: text }),
  content: z.object({ content: Content }),
};

export const ClientTool = z.object({
  name: text.min(1),
  description: optionalText,
  input_schema: z.record(z.string(), z.unknown()),
  strict: flag,
});

export const JsonSchemaFormat = z.object({ schema: z.record(z.string(), z.unknown()) });
