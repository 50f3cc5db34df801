import type { ToolCall } from "../chat-completion.ts";
import { type Call, CallReader } from "../tool-calls.ts";

class Block {
  /** The fragments that are not sent yet. */
  pending: string[] = [];
  started = false;
  closed = false;

  /** A block of a tool has its call. */
  constructor(readonly kind: "thinking" | "text" | Call) {}

  isComplete(): boolean {
    return typeof this.kind === "string" || this.kind.isWhole();
  }

  /** Returns the block as it begins; undefined while the name of its tool is missing. */
  empty(newId: () => string, nameOf: (name: string) => string): Record<string, unknown> | undefined {
    const { kind } = this;
    if (kind === "text") return { type: "text", text: "" };
    // Only Anthropic can sign. An empty signature pretends nothing.
    if (kind === "thinking") return { type: "thinking", thinking: "", signature: "" };
    if (!kind.name) return undefined;
    return { type: "tool_use", id: kind.id || `toolu_${newId()}`, name: nameOf(kind.name), input: {} };
  }

  /** Returns the arguments of a call without any, so that they are JSON. */
  missing(): string[] {
    return typeof this.kind === "string" || this.kind.arguments.trim() !== "" ? [] : ["{}"];
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
  readonly #reader: CallReader;
  readonly #calls = new Map<Call, Block>();
  /** The index of the first block of the queue. */
  #index = 0;

  constructor(
    private readonly newId: () => string,
    /** Returns the caller's name of a tool. */
    private readonly nameOf: (name: string) => string,
    private readonly emit: (type: string, fields: Record<string, unknown>) => void,
    takenIds: ReadonlySet<string>,
  ) {
    this.#reader = new CallReader(takenIds);
  }

  write(kind: "thinking" | "text", fragment: string): void {
    const last = this.#queue.at(-1);
    const block = last?.kind === kind ? last : this.#add(kind);
    block.pending.push(fragment);
    this.#advance(false);
  }

  /**
   * Returns false if a fragment belongs to a call that is already complete. `areWhole` says that each fragment is
   * a call of its own.
   */
  call(fragments: readonly ToolCall[], areWhole: boolean): boolean {
    for (const { call, text } of this.#reader.read(fragments, areWhole)) {
      const block = this.#calls.get(call) ?? this.#add(call);
      this.#calls.set(call, block);
      if (block.closed && text.trim() !== "") return false;
      if (text && !block.closed) block.pending.push(text);
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
    return this.#reader.hasCalls;
  }

  #add(kind: Block["kind"]): Block {
    const block = new Block(kind);
    this.#queue.push(block);
    return block;
  }

  /** Sends all that may be sent now. Returns false if something is missing though `isLast`: no more comes. */
  #advance(isLast: boolean): boolean {
    for (let first = this.#queue[0]; first; first = this.#queue[0]) {
      if (!this.#flush(first)) return !isLast;
      if (!isLast && (this.#queue.length === 1 || !first.isComplete())) return true;
      this.#send(first, first.missing());
      this.emit("content_block_stop", { index: this.#index });
      first.closed = true;
      this.#queue.shift();
      this.#index += 1;
    }
    return true;
  }

  /** Sends the pending fragments of the first block. Returns false while the name of its tool is missing. */
  #flush(block: Block): boolean {
    if (!block.started) {
      const empty = block.empty(this.newId, this.nameOf);
      if (!empty) return false;
      this.emit("content_block_start", { index: this.#index, content_block: empty });
    }
    block.started = true;
    this.#send(block, block.pending.splice(0));
    return true;
  }

  #send(block: Block, fragments: readonly string[]): void {
    for (const fragment of fragments)
      this.emit("content_block_delta", { index: this.#index, delta: block.delta(fragment) });
  }
}
