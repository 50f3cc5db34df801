import { parseJson } from "../../../json/parse.ts";
import type { ToolCall } from "../chat-completion.ts";

class Block {
  /** The fragments that are not sent yet. */
  pending: string[] = [];
  started = false;
  closed = false;
  id = "";
  name = "";
  /** All arguments of a tool so far. */
  arguments = "";
  /** Whether they are a whole JSON object; undefined until that is known. */
  whole: boolean | undefined;

  constructor(readonly kind: "thinking" | "text" | "tool") {}

  isComplete(): boolean {
    if (this.kind !== "tool") return true;
    this.whole ??= isWholeObject(this.arguments);
    return this.whole;
  }

  /** Returns the block as it begins. */
  empty(newId: () => string): Record<string, unknown> {
    if (this.kind === "text") return { type: "text", text: "" };
    // Only Anthropic can sign. An empty signature pretends nothing.
    if (this.kind === "thinking") return { type: "thinking", thinking: "", signature: "" };
    return { type: "tool_use", id: this.id || `toolu_${newId()}`, name: this.name, input: {} };
  }

  delta(fragment: string): Record<string, unknown> {
    if (this.kind === "text") return { type: "text_delta", text: fragment };
    if (this.kind === "thinking") return { type: "thinking_delta", thinking: fragment };
    return { type: "input_json_delta", partial_json: fragment };
  }
}

/**
 * The content blocks of a streamed message, which come strictly one after another. A chat completion may mix
 * its parts, so the fragments of a later block wait until the block before is complete. Text is complete when
 * something else begins, a tool call when its arguments are whole JSON, anything when the answer ends. A
 * fragment is sent as it came, never joined or cut.
 */
export class Blocks {
  /** The blocks that are not complete, and those behind them. */
  readonly #queue: Block[] = [];
  readonly #calls = new Map<number, Block>();
  /** The index of the first block of the queue. */
  #index = 0;
  #lastCall = -1;

  constructor(
    private readonly newId: () => string,
    private readonly emit: (type: string, fields: Record<string, unknown>) => void,
  ) {}

  write(kind: "thinking" | "text", fragment: string): void {
    const last = this.#queue.at(-1);
    const block = last?.kind === kind ? last : this.#add(kind);
    block.pending.push(fragment);
    this.#advance(false);
  }

  /** Returns false if the fragment belongs to a call that is already complete. */
  call(fragment: ToolCall): boolean {
    const block = this.#callOf(fragment);
    const text = fragment.function?.arguments ?? "";
    if (block.closed) return text.trim() === "";
    block.id ||= fragment.id ?? "";
    block.name ||= fragment.function?.name ?? "";
    if (text) {
      block.pending.push(text);
      block.arguments += text;
      block.whole = undefined;
    }
    this.#advance(false);
    return true;
  }

  /** Completes all blocks so far. Returns false if a call has no name. */
  close(): boolean {
    return this.#advance(true);
  }

  /** Returns whether a tool was called. */
  hasCalls(): boolean {
    return this.#calls.size > 0;
  }

  #add(kind: Block["kind"]): Block {
    const block = new Block(kind);
    this.#queue.push(block);
    return block;
  }

  /** Some upstreams number all calls 0, or none of them, but give each an id of its own. */
  #callOf({ index: sent, id, function: called }: ToolCall): Block {
    const number = sent ?? Math.max(this.#lastCall, 0);
    const known = this.#calls.get(number);
    const block = known && !(id && called?.name && id !== known.id) ? known : this.#add("tool");
    this.#calls.set(number, block);
    this.#lastCall = number;
    return block;
  }

  /** Sends all that may be sent now. Returns false if something is missing though `isLast`: no more comes. */
  #advance(isLast: boolean): boolean {
    for (let first = this.#queue[0]; first; first = this.#queue[0]) {
      if (!this.#flush(first)) return !isLast;
      if (!isLast && (this.#queue.length === 1 || !first.isComplete())) return true;
      this.emit("content_block_stop", { index: this.#index });
      first.closed = true;
      this.#queue.shift();
      this.#index += 1;
    }
    return true;
  }

  /** Sends the pending fragments of the first block. Returns false while the name of its tool is missing. */
  #flush(block: Block): boolean {
    if (block.kind === "tool" && !block.name) return false;
    const index = this.#index;
    if (!block.started) this.emit("content_block_start", { index, content_block: block.empty(this.newId) });
    block.started = true;
    for (const fragment of block.pending.splice(0)) {
      this.emit("content_block_delta", { index, delta: block.delta(fragment) });
    }
    return true;
  }
}

function isWholeObject(text: string): boolean {
  // The first check is cheap, and most incomplete texts fail it.
  return text.trimEnd().endsWith("}") && parseJson(text) !== undefined;
}
