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

const ToolHead = z.looseObject({ type: optionalText, name: optionalText });
const Format = Typed.nullish();

export const MessagesBody = z.object({
  model: text.min(1),
  max_tokens: z.int().positive(),
  messages: z.array(z.object({ role: z.enum(["user", "assistant", "system"]), content: Content })).min(1),
  system: Content.nullish(),
  stream: flag,
  stop_sequences: z.array(text).nullish(),
  temperature: number,
  top_p: number,
  top_k: number,
  tools: z.array(ToolHead).nullish(),
  tool_choice: z
    .object({
      type: z.enum(["auto", "any", "tool", "none"]),
      name: optionalText,
      disable_parallel_tool_use: flag,
    })
    .nullish(),
  thinking: z.object({ type: text, display: optionalText }).nullish(),
  output_config: z.object({ effort: optionalText, format: Format }).nullish(),
  /** The former place of `output_config.format`. */
  output_format: Format,
  metadata: z.object({ user_id: optionalText }).nullish(),
  container: z.unknown().optional(),
  mcp_servers: z.array(z.unknown()).nullish(),
  thread: z.unknown().optional(),
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
