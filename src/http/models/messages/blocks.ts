import { parseJson } from "../../../json/parse.ts";
import type { Delta } from "../chunk.ts";

type Emit = (type: string, fields: Record<string, unknown>) => void;
export type CallFragment = NonNullable<Delta["tool_calls"]>[number];

interface Block {
  kind: "thinking" | "text" | "tool";
  /** The fragments that are not sent yet. */
  pending: string[];
  started: boolean;
  id: string;
  name: string;
  /** All arguments of a tool so far. */
  arguments: string;
  /** Whether they are a whole JSON object; undefined until that is known. */
  whole: boolean | undefined;
  closed: boolean;
}

const NEW_BLOCK = { started: false, id: "", name: "", arguments: "", whole: undefined, closed: false };

/**
 * The content blocks of a streamed message, which come strictly one after another. A chat completion may mix
 * its parts, so the fragments of a later block wait until the block before is complete. Text is complete when
 * something else begins, a tool call when its arguments are whole JSON, anything when the answer ends. A
 * fragment is sent as it came, never joined or cut.
 */
export interface Blocks {
  write(kind: "thinking" | "text", fragment: string): void;
  /** Returns false if the fragment belongs to a call that is already complete. */
  call(fragment: CallFragment): boolean;
  /** Completes all blocks so far. Returns false if a call has no name. */
  close(): boolean;
  /** Returns whether a tool was called. */
  called(): boolean;
}

export function createBlocks(newId: () => string, emit: Emit): Blocks {
  const queue: Block[] = [];
  const calls = new Map<number, Block>();
  let index = 0;
  let lastCall = -1;

  const add = (kind: Block["kind"]): Block => {
    const block = { ...NEW_BLOCK, kind, pending: [] };
    queue.push(block);
    return block;
  };
  /** Sends the pending fragments of the block. Returns false while the name of its tool is missing. */
  const flush = (block: Block): boolean => {
    if (block.kind === "tool" && !block.name) return false;
    if (!block.started) emit("content_block_start", { index, content_block: emptyBlock(block, newId) });
    block.started = true;
    for (const fragment of block.pending.splice(0)) {
      emit("content_block_delta", { index, delta: deltaOf(block.kind, fragment) });
    }
    return true;
  };
  /**
   * Sends all that may be sent now. Returns false if something is missing and `ending` says nothing more
   * comes.
   */
  const advance = (ending: boolean): boolean => {
    for (let first = queue[0]; first; first = queue[0]) {
      if (!flush(first)) return !ending;
      if (!ending && (queue.length === 1 || !isComplete(first))) return true;
      emit("content_block_stop", { index });
      first.closed = true;
      queue.shift();
      index += 1;
    }
    return true;
  };
  /** Some upstreams number all calls 0, or none of them, but give each an id of its own. */
  const callOf = ({ index: sent, id, function: called }: CallFragment): Block => {
    const number = sent ?? Math.max(lastCall, 0);
    const known = calls.get(number);
    const block = known && !(id && called?.name && id !== known.id) ? known : add("tool");
    calls.set(number, block);
    lastCall = number;
    return block;
  };
  return {
    write(kind, fragment) {
      const last = queue.at(-1);
      const block = last?.kind === kind ? last : add(kind);
      block.pending.push(fragment);
      advance(false);
    },
    call(fragment) {
      const block = callOf(fragment);
      const text = fragment.function?.arguments ?? "";
      if (block.closed) return text.trim() === "";
      block.id ||= fragment.id ?? "";
      block.name ||= fragment.function?.name ?? "";
      if (text) {
        block.pending.push(text);
        block.arguments += text;
        block.whole = undefined;
      }
      advance(false);
      return true;
    },
    close: () => advance(true),
    called: () => calls.size > 0,
  };
}

function emptyBlock({ kind, id, name }: Block, newId: () => string): Record<string, unknown> {
  switch (kind) {
    case "text":
      return { type: "text", text: "" };
    // Only Anthropic can sign. An empty signature pretends nothing.
    case "thinking":
      return { type: "thinking", thinking: "", signature: "" };
    case "tool":
      return { type: "tool_use", id: id || `toolu_${newId()}`, name, input: {} };
  }
}

function deltaOf(kind: Block["kind"], fragment: string): Record<string, unknown> {
  switch (kind) {
    case "text":
      return { type: "text_delta", text: fragment };
    case "thinking":
      return { type: "thinking_delta", thinking: fragment };
    case "tool":
      return { type: "input_json_delta", partial_json: fragment };
  }
}

function isComplete(block: Block): boolean {
  if (block.kind === "tool") block.whole ??= isWholeObject(block.arguments);
  return block.kind !== "tool" || block.whole === true;
}

function isWholeObject(text: string): boolean {
  // The first check is cheap, and most incomplete texts fail it.
  return text.trimEnd().endsWith("}") && parseJson(text) !== undefined;
}
