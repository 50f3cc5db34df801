import { type Choice, reasoningOf, type ToolCall } from "../chat-completion.ts";
import {
  type EmitEvent,
  type ItemContext,
  type OpenCall,
  type OpenItem,
  OpenMessage,
  OpenReasoning,
  type OutputItem,
  openCall,
} from "./items.ts";
import type { Tools } from "./tools.ts";

interface Call {
  id: string | undefined;
  /** The arguments that came before the name. */
  early: string;
  open: OpenCall | undefined;
}

/** The items of a response, as they grow with the deltas of one choice. */
export class Output {
  readonly items: OutputItem[] = [];
  /** The open message or reasoning. An item of another kind ends it. */
  #current: OpenItem | undefined;
  /** The arguments of parallel calls may alternate, so calls end only with the answer. */
  #openCalls: OpenItem[] = [];
  readonly #callsByIndex = new Map<number, Call>();
  #lastIndex = 0;

  constructor(
    private readonly tools: Tools,
    private readonly newId: () => string,
    private readonly emit: EmitEvent,
  ) {}

  write({ delta, message, logprobs }: Choice): void {
    const part = delta ?? message;
    if (!part) return;
    const reasoning = reasoningOf(part);
    if (reasoning) this.#openOf(OpenReasoning).write(reasoning);
    if (part.content) this.#openOf(OpenMessage).write("output_text", part.content, logprobs?.content ?? []);
    if (part.refusal) this.#openOf(OpenMessage).write("refusal", part.refusal, []);
    for (const [position, call] of (part.tool_calls ?? []).entries())
      this.#writeCall(call, delta ? undefined : position);
  }

  /** Closes the open items. `complete` is false if the model was stopped: its last item is incomplete then. */
  close(complete: boolean): void {
    const last = this.items.at(-1);
    // A call ends the current item, so an item that is current now came after all calls.
    const stillOpen = [...this.#openCalls, ...(this.#current ? [this.#current] : [])];
    for (const open of stillOpen) open.close(complete || open.item !== last ? "completed" : "incomplete");
    this.#openCalls = [];
    this.#current = undefined;
  }

  /** Returns the open item of the kind, which is begun if another kind or none is open. */
  #openOf<Kind extends OpenItem>(kind: new (context: ItemContext) => Kind): Kind {
    if (this.#current instanceof kind) return this.#current;
    this.#closeCurrent();
    const open = new kind(this.#nextContext());
    this.items.push(open.item);
    this.#current = open;
    return open;
  }

  #openCall(id: string | undefined, name: string): OpenCall {
    this.#closeCurrent();
    const open = openCall(this.#nextContext(), id ?? `call_${this.newId()}`, this.tools.byWireName(name));
    this.items.push(open.item);
    this.#openCalls.push(open);
    return open;
  }

  #closeCurrent(): void {
    this.#current?.close("completed");
    this.#current = undefined;
  }

  #nextContext(): ItemContext {
    return { outputIndex: this.items.length, newId: this.newId, emit: this.emit };
  }

  /**
   * Joins the fragments of calls by their index. Ollama has given several whole calls the same index, and
   * some upstreams give none, so a new id with a name begins a new call too. `position` is that of a whole
   * call in its message.
   */
  #writeCall({ index, id, function: called }: ToolCall, position: number | undefined): void {
    const name = called?.name ?? "";
    this.#lastIndex = index ?? position ?? this.#lastIndex;
    let call = this.#callsByIndex.get(this.#lastIndex);
    const another = call?.id !== undefined && id && id !== call.id && name !== "";
    if (call === undefined || another) {
      call = { id: undefined, early: "", open: undefined };
      this.#callsByIndex.set(this.#lastIndex, call);
    }
    call.id ??= id || undefined;
    call.early += called?.arguments ?? "";
    if (call.open === undefined) {
      if (name === "") return;
      call.open = this.#openCall(call.id, name);
    }
    if (call.early !== "") call.open.write(call.early);
    call.early = "";
  }
}
