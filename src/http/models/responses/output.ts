import type { Choice, Delta } from "../chunk.ts";
import {
  type OpenCall,
  type OpenItem,
  type OpenMessage,
  type OpenReasoning,
  type OutputItem,
  openCall,
  openMessage,
  openReasoning,
  type Place,
} from "./items.ts";
import type { Tools } from "./tools.ts";

/** The items of an answer, as they grow out of the deltas of one choice. */
export interface Output {
  items: OutputItem[];
  write(choice: Choice): void;
  /** Closes what is open. `complete` is false where the model was stopped: then its last item is cut short. */
  close(complete: boolean): void;
}

interface Call {
  id: string | undefined;
  /** What came before the name. */
  early: string;
  open: OpenCall | undefined;
}

type CallDelta = NonNullable<Delta["tool_calls"]>[number];

export function createOutput(tools: Tools, newId: () => string, emit: Place["emit"]): Output {
  const items: OutputItem[] = [];
  /** What is being said or thought; the next kind of item ends it. */
  let current:
    | { kind: "message"; open: OpenMessage }
    | { kind: "reasoning"; open: OpenReasoning }
    | undefined;
  /** The arguments of parallel calls may come in turns, so calls are ended only with the answer. */
  let calls: OpenItem[] = [];
  const nextPlace = (): Place => ({ outputIndex: items.length, newId, emit });
  const closeCurrent = () => {
    current?.open.close("completed");
    current = undefined;
  };
  const message = () => {
    if (current?.kind === "message") return current.open;
    closeCurrent();
    current = { kind: "message", open: openMessage(nextPlace()) };
    items.push(current.open.item);
    return current.open;
  };
  const reasoning = () => {
    if (current?.kind === "reasoning") return current.open;
    closeCurrent();
    current = { kind: "reasoning", open: openReasoning(nextPlace()) };
    items.push(current.open.item);
    return current.open;
  };
  const callOf = createCalls((id, name) => {
    closeCurrent();
    const open = openCall(nextPlace(), id ?? `call_${newId()}`, tools.byWireName(name));
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
      // A call ends what was current, so what is current now came after all calls.
      const stillOpen = [...calls, ...(current ? [current.open] : [])];
      for (const open of stillOpen) open.close(complete || open.item !== last ? "completed" : "incomplete");
      calls = [];
      current = undefined;
    },
  };
}

/**
 * Puts the pieces of calls together. A call is known by its index; Ollama has given several whole calls the
 * same one, and some upstreams give none, so a new id with a name begins a new call too.
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
