import type { Choice, Delta } from "../chunk.ts";
import {
  type ItemContext,
  type OpenCall,
  type OpenItem,
  type OpenMessage,
  type OpenReasoning,
  type OutputItem,
  openCall,
  openMessage,
  openReasoning,
} from "./items.ts";
import type { Tools } from "./tools.ts";

/** The items of a response, as they grow with the deltas of one choice. */
export interface Output {
  items: OutputItem[];
  write(choice: Choice): void;
  /**
   * Closes the open items. `complete` is false if the model was stopped: its last item is incomplete then.
   */
  close(complete: boolean): void;
}

interface Call {
  id: string | undefined;
  /** The arguments that came before the name. */
  early: string;
  open: OpenCall | undefined;
}

type CallDelta = NonNullable<Delta["tool_calls"]>[number];

export function createOutput(tools: Tools, newId: () => string, emit: ItemContext["emit"]): Output {
  const items: OutputItem[] = [];
  /** The open message or reasoning. An item of another kind ends it. */
  let current:
    | { kind: "message"; open: OpenMessage }
    | { kind: "reasoning"; open: OpenReasoning }
    | undefined;
  /** The arguments of parallel calls may alternate, so calls end only with the answer. */
  let calls: OpenItem[] = [];
  const nextContext = (): ItemContext => ({ outputIndex: items.length, newId, emit });
  const closeCurrent = () => {
    current?.open.close("completed");
    current = undefined;
  };
  const message = () => {
    if (current?.kind === "message") return current.open;
    closeCurrent();
    current = { kind: "message", open: openMessage(nextContext()) };
    items.push(current.open.item);
    return current.open;
  };
  const reasoning = () => {
    if (current?.kind === "reasoning") return current.open;
    closeCurrent();
    current = { kind: "reasoning", open: openReasoning(nextContext()) };
    items.push(current.open.item);
    return current.open;
  };
  const callOf = createCalls((id, name) => {
    closeCurrent();
    const open = openCall(nextContext(), id ?? `call_${newId()}`, tools.byWireName(name));
    items.push(open.item);
    calls.push(open);
    return open;
  });
  return {
    items,
    write({ delta, message: whole, logprobs }) {
      const {
        content,
        refusal,
        reasoning_content: thought,
        reasoning: thoughtToo,
        tool_calls: called,
      } = delta ?? whole ?? {};
      const thoughts = thought || thoughtToo;
      if (thoughts) reasoning().write(thoughts);
      if (content) message().write("output_text", content, logprobs?.content ?? []);
      if (refusal) message().write("refusal", refusal, []);
      for (const [position, call] of (called ?? []).entries()) callOf(call, delta ? undefined : position);
    },
    close(complete) {
      const last = items.at(-1);
      // A call ends the current item, so an item that is current now came after all calls.
      const stillOpen = [...calls, ...(current ? [current.open] : [])];
      for (const open of stillOpen) open.close(complete || open.item !== last ? "completed" : "incomplete");
      calls = [];
      current = undefined;
    },
  };
}

/**
 * Joins the fragments of calls by their index. Ollama has given several whole calls the same index, and some
 * upstreams give none, so a new id with a name begins a new call too.
 */
function createCalls(start: (id: string | undefined, name: string) => OpenCall) {
  const byIndex = new Map<number, Call>();
  let lastIndex = 0;
  return ({ index, id, function: called }: CallDelta, position: number | undefined): void => {
    const name = called?.name ?? "";
    lastIndex = index ?? position ?? lastIndex;
    let call = byIndex.get(lastIndex);
    const another = call?.id !== undefined && id && id !== call.id && name !== "";
    if (call === undefined || another) {
      call = { id: undefined, early: "", open: undefined };
      byIndex.set(lastIndex, call);
    }
    call.id ??= id || undefined;
    call.early += called?.arguments ?? "";
    if (call.open === undefined) {
      if (name === "") return;
      call.open = start(call.id, name);
    }
    if (call.early !== "") call.open.write(call.early);
    call.early = "";
  };
}
