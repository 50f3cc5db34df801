import { field, textField } from "../../../src/json/parse.ts";
import type { StreamedEvent } from "../upstream/events.ts";

/** The place in a message, and the number of blocks so far. */
interface State {
  at: "start" | "between" | "block" | "end" | "over";
  blocks: number;
}

/** The places at which each event of Anthropic's API may come, and to which it leads. */
const EVENTS: Record<string, [from: State["at"], to: State["at"]]> = {
  message_start: ["start", "between"],
  content_block_start: ["between", "block"],
  content_block_delta: ["block", "block"],
  content_block_stop: ["block", "between"],
  message_delta: ["between", "end"],
  message_stop: ["end", "over"],
};

/**
 * Throws unless the events are in the order of Anthropic's API: one `message_start`, blocks that begin, grow and
 * end one after the other, then `message_delta` and `message_stop`, or `error` at any point.
 */
export function expectMessageOrder(events: readonly StreamedEvent[], data: readonly unknown[]): void {
  let state: State = { at: "start", blocks: 0 };
  for (const [index, value] of data.entries()) {
    const next = events[index]?.event === textField(value, "type") ? after(state, value) : undefined;
    const types = data.map((one) => textField(one, "type"));
    if (!next) throw new Error(`${types[index]} at ${index} of ${types}`);
    state = next;
  }
  if (state.at !== "over") throw new Error("a message without an end");
}

/** Returns the state after the event; undefined if the event may not come now. */
function after({ at, blocks }: State, value: unknown): State | undefined {
  const type = textField(value, "type") ?? "";
  if (at === "over") return undefined;
  if (type === "ping") return { at, blocks };
  if (type === "error") return { at: "over", blocks };
  const [from, to] = EVENTS[type] ?? [];
  if (to === undefined || from !== at) return undefined;
  if (!type.startsWith("content_block")) return { at: to, blocks };
  const isNew = type === "content_block_start";
  if (field(value, "index") !== (isNew ? blocks : blocks - 1)) return undefined;
  return { at: to, blocks: isNew ? blocks + 1 : blocks };
}
