/** The hash of the parts of a request so far. It depends on their order. */
export type Chain = bigint;

/** The length of a text that is read whole. Of a longer one, such as an image, its ends and its length count. */
const WHOLE_LENGTH_MAX = 8192;
const END_LENGTH = WHOLE_LENGTH_MAX / 2;

/** Deeper values are left out. */
const DEPTH_MAX = 12;

/** Moves with the end of the conversation, or is left out when the message is sent again. */
const PASSING_FIELDS = new Set(["cache_control", "reasoning", "reasoning_content", "reasoning_details"]);
const PASSING_TYPES = new Set<unknown>(["thinking", "redacted_thinking"]);

/** Claude Code's first line of the system prompt, which may change with every request. */
const BILLING_LINE = /^x-anthropic-billing-header:[^\n]*\n?/;

/** Adds a text, of which at most `WHOLE_LENGTH_MAX` characters are read. */
export function addText(chain: Chain, text: string): Chain {
  const { length } = text;
  if (length <= WHOLE_LENGTH_MAX) return Bun.hash.rapidhash(text, chain);
  const ends = text.slice(0, END_LENGTH) + text.slice(length - END_LENGTH);
  return Bun.hash.rapidhash(String(length), Bun.hash.rapidhash(ends, chain));
}

/**
 * Adds the values of any JSON, without the names of its fields. A content adds the same as a text and as a list of
 * that text.
 */
export function addValue(chain: Chain, value: unknown, depth = 0): Chain {
  if (typeof value === "string") return addText(chain, value);
  if (typeof value === "number" || typeof value === "boolean") return addText(chain, String(value));
  if (typeof value !== "object" || value === null || depth > DEPTH_MAX) return chain;
  let longer = chain;
  if (Array.isArray(value)) {
    for (const item of value) longer = addValue(longer, item, depth + 1);
    return longer;
  }
  const fields = value as Record<string, unknown>;
  if (isText(fields)) return addText(chain, fields.text);
  if (PASSING_TYPES.has(fields["type"])) return chain;
  for (const name in fields) {
    // An item of the Responses API without a type is a message.
    const isPassing = PASSING_FIELDS.has(name) || (name === "type" && fields[name] === "message");
    if (!isPassing) longer = addValue(longer, fields[name], depth + 1);
  }
  return longer;
}

/** Adds the system prompt or the instructions. */
export function addSystem(chain: Chain, system: unknown): Chain {
  if (typeof system === "string") return addText(chain, system.replace(BILLING_LINE, ""));
  if (!Array.isArray(system)) return addValue(chain, system);
  let longer = chain;
  for (const block of system) if (!isBilling(block)) longer = addValue(longer, block);
  return longer;
}

/** Returns the text of a key for the chain. */
export const keyOf = (chain: Chain): string => chain.toString(36);

type Fields = Record<string, unknown>;

const isText = (block: Fields): block is Fields & { text: string } =>
  typeof block["text"] === "string" && TEXT_TYPES.has(block["type"]);

const TEXT_TYPES = new Set<unknown>(["text", "input_text", "output_text"]);

const isBilling = (block: unknown): boolean =>
  typeof block === "object" &&
  block !== null &&
  isText(block as Fields) &&
  BILLING_LINE.test(String((block as Fields)["text"]));
