import { z } from "zod";
import type { Delta } from "../../../relay/types.ts";

const Block = z.looseObject({ type: z.string() });
type Block = z.output<typeof Block>;

const WholeMessage = z.looseObject({
  content: z.array(Block),
  stop_reason: z.unknown().optional(),
  stop_sequence: z.unknown().optional(),
  usage: z.unknown().optional(),
});

/**
 * Returns the events of https://platform.claude.com/docs/en/build-with-claude/streaming for a whole message, as
 * some upstreams answer a request to stream with a plain body; undefined if the value is not a message.
 */
export function eventsOfMessage(value: unknown): Delta[] | undefined {
  const message = WholeMessage.safeParse(value).data;
  if (!message) return undefined;
  const { content, stop_reason, stop_sequence = null, usage } = message;
  const begun = { ...message, content: [], stop_reason: null, stop_sequence: null };
  return [
    event("message_start", { message: begun }),
    ...content.flatMap(blockEvents),
    event("message_delta", { delta: { stop_reason, stop_sequence }, usage }),
    event("message_stop", {}),
  ];
}

function blockEvents(block: Block, index: number): Delta[] {
  const { begun, deltas } = split(block);
  return [
    event("content_block_start", { index, content_block: begun }),
    ...deltas.map((delta) => event("content_block_delta", { index, delta })),
    event("content_block_stop", { index }),
  ];
}

/** Returns the block as it begins, and what follows. A block of another type begins with all that it has. */
function split(block: Block): { begun: object; deltas: object[] } {
  const { type, text, thinking, signature, input } = block;
  if (type === "text") return { begun: { ...block, text: "" }, deltas: [{ type: "text_delta", text }] };
  if (type === "thinking") {
    const signed = signature === undefined ? [] : [{ type: "signature_delta", signature }];
    const begun = { ...block, thinking: "", signature: "" };
    return { begun, deltas: [{ type: "thinking_delta", thinking }, ...signed] };
  }
  if (input === undefined) return { begun: block, deltas: [] };
  const partial = { type: "input_json_delta", partial_json: JSON.stringify(input) };
  return { begun: { ...block, input: {} }, deltas: [partial] };
}

function event(type: string, fields: object): Delta {
  return { event: type, data: JSON.stringify({ type, ...fields }) };
}
