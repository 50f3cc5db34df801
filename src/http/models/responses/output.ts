import { type Choice, NO_NAME } from "../chat-completion.ts";
import { CALL_GOES_ON, type Call, CallReader } from "../tool-calls.ts";
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

/** The items of a response, as they grow with the deltas of one choice. */
export class Output {
  readonly items: OutputItem[] = [];
  /** The open message or reasoning. An item of another kind ends it. */
  #current: OpenItem | undefined;
  /** The arguments of parallel calls may alternate, so calls end only with the answer. */
  #openCalls: OpenItem[] = [];
  readonly #reader: CallReader;
  /** The calls that have begun. The item of a call without a name has not. */
  readonly #calls = new Map<Call, OpenCall | undefined>();

  constructor(
    private readonly tools: Tools,
    private readonly newId: () => string,
    private readonly emit: EmitEvent,
    takenIds: ReadonlySet<string>,
  ) {
    this.#reader = new CallReader(takenIds);
  }

  /** Returns what is wrong with the choice, if anything. */
  write({ delta, message, logprobs }: Choice): string | undefined {
    const part = delta ?? message;
    if (!part) return undefined;
    if (part.reasoning) this.#openOf(OpenReasoning).write(part.reasoning);
    if (part.content) this.#openOf(OpenMessage).write("output_text", part.content, logprobs?.content ?? []);
    if (part.refusal) this.#openOf(OpenMessage).write("refusal", part.refusal, []);
    const fragments = this.#reader.read(part.calls, !delta);
    return fragments.every(({ call, text }) => this.#writeCall(call, text)) ? undefined : CALL_GOES_ON;
  }

  /** Returns what is wrong with the calls at the end of the answer, if anything. */
  fault(): string | undefined {
    return [...this.#calls.values()].includes(undefined) ? NO_NAME : undefined;
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

  #openCall({ id, name }: Call): OpenCall {
    this.#closeCurrent();
    const open = openCall(this.#nextContext(), id || `call_${this.newId()}`, this.tools.byWireName(name));
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

  /** Returns false if the fragment belongs to a call that is already complete. */
  #writeCall(call: Call, text: string): boolean {
    const open = this.#calls.get(call);
    if (open) {
      if (open.item.status !== "in_progress") return text.trim() === "";
      if (text !== "") open.write(text);
      return true;
    }
    const begun = call.name === "" ? undefined : this.#openCall(call);
    this.#calls.set(call, begun);
    // The arguments may have come before the name.
    if (call.arguments !== "") begun?.write(call.arguments);
    return true;
  }
}
