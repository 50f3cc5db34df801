import { parseJson } from "../../../json/parse.ts";
import type { Delta, Usage } from "../chunk.ts";
import { type Ending, endingFields, messagesUsage } from "./ending.ts";

type Call = NonNullable<Delta["tool_calls"]>[number];

/** The fields of a message that are known before its content. */
export interface MessageIdentity {
  id: string;
  model: string;
}

export function messageBody(
  identity: MessageIdentity,
  content: readonly unknown[],
  ending: Ending | undefined,
  usage: Usage | null | undefined,
) {
  const { id, model } = identity;
  return {
    id,
    type: "message",
    role: "assistant",
    model,
    content,
    ...(ending ? endingFields(ending) : { stop_reason: null, stop_sequence: null, stop_details: null }),
    usage: messagesUsage(usage),
  };
}

/** Returns the content blocks of a whole answer. */
export function contentOf(message: Delta, showsThinking: boolean, newId: () => string): unknown[] {
  const thinking = reasoningOf(message);
  return [
    ...(thinking && showsThinking ? [{ type: "thinking", thinking, signature: "" }] : []),
    ...[message.content, message.refusal].flatMap((text) => (text ? [{ type: "text", text }] : [])),
    ...(message.tool_calls ?? []).map((call) => toolUse(call, newId)),
  ];
}

export function reasoningOf({ reasoning_content, reasoning }: Delta): string {
  return reasoning_content || reasoning || "";
}

function toolUse({ id, function: called }: Call, newId: () => string): unknown {
  const input = toolInput(called?.arguments ?? "");
  return { type: "tool_use", id: id || `toolu_${newId()}`, name: called?.name ?? "", input };
}

/**
 * Returns the arguments as an object. Anything else, such as arguments cut off by `max_tokens`, must not look
 * like a call without arguments, so it is kept as text under `INVALID_JSON`, the key that Anthropic's
 * documentation of fine-grained tool streaming suggests.
 */
export function toolInput(callArguments: string): unknown {
  if (callArguments.trim() === "") return {};
  const input = parseJson(callArguments);
  if (input === null) return {};
  if (typeof input === "object" && !Array.isArray(input)) return input;
  return { INVALID_JSON: callArguments };
}
