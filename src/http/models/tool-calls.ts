import { ObjectEnd } from "../../json/object-end.ts";
import { field, parseBoundedJson, textField } from "../../json/parse.ts";
import type { ToolCall } from "./chat-completion.ts";

export const CALL_GOES_ON = "The agent's upstream sent more arguments for a tool call that was complete.";

/** One tool call of an answer, as far as its fragments have come. */
export class Call {
  /** Empty if the upstream sent none, or sent that of another call. */
  id = "";
  name = "";
  arguments = "";
  /** A name that came after complete arguments. If arguments follow it, it began another call. */
  nextName = "";
  readonly #end = new ObjectEnd();
  #isJson: boolean | undefined;

  append(text: string): void {
    this.arguments += text;
    this.#end.add(text);
  }

  /** Returns whether the arguments are a whole JSON object. */
  isWhole(): boolean {
    // The object ends only once, so it is parsed only once.
    if (!this.#end.isReached) return false;
    this.#isJson ??= parseBoundedJson(this.arguments) !== undefined;
    return this.#isJson;
  }
}

/** Returns the ids of the calls in the history of a chat completion. */
export function callIdsIn(messages: unknown): ReadonlySet<string> {
  const calls = listOf(messages).flatMap((message) => listOf(field(message, "tool_calls")));
  return new Set(calls.map((call) => textField(call, "id") ?? ""));
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/**
 * Joins the fragments of an answer's tool calls. OpenAI numbers the calls by `index`, and sends `id` and name
 * with the first fragment. Gemini's API and others number all calls 0 or not at all, leave the id out or
 * empty, give all calls one id, or repeat id and name in every fragment. So calls are told apart by whatever
 * they have: by the index, by an id, or by a name that comes after complete arguments.
 */
export class CallReader {
  readonly #byIndex = new Map<number, Call>();
  /** The newest call of each id as the upstream sent it. */
  readonly #byId = new Map<string, Call>();
  #last: Call | undefined;
  #count = 0;

  /** `takenIds` are those of the conversation's earlier calls. Some upstreams begin with `call_0` each time. */
  constructor(private readonly takenIds: ReadonlySet<string>) {}

  /** Returns whether there are any calls. */
  get hasCalls(): boolean {
    return this.#count > 0;
  }

  /**
   * Reads the fragments of one delta, in their order. `isWhole` says that each is a call of its own, as in a
   * whole message.
   */
  read(fragments: readonly ToolCall[], isWhole: boolean): { call: Call; text: string }[] {
    const named = new Set<Call>();
    return fragments.map((fragment) => {
      const given = fragment.function;
      const name = given?.name ?? "";
      const text = given?.arguments ?? "";
      const found = isWhole ? undefined : this.#find(fragment, name, text, named);
      const call = found ?? this.#begin(fragment, name);
      if (name) named.add(call);
      this.#learn(call, fragment, name);
      call.append(text);
      return { call, text };
    });
  }

  /** Returns the call that a fragment continues; undefined if it begins another. */
  #find({ index, id }: ToolCall, name: string, text: string, named: ReadonlySet<Call>): Call | undefined {
    const call = this.#candidate(index, id, name);
    if (!call) return undefined;
    const hasText = text.trim() !== "";
    // Arguments after complete ones belong to another call only if a name was between them.
    if (!name) return hasText && call.nextName && call.isWhole() ? undefined : call;
    if (id && call.id && id !== call.id) return undefined;
    const isRepeated = id ? id === call.id : false;
    if (call.name && name !== call.name) return undefined;
    // Two fragments of one delta that both have a name are two calls.
    if (named.has(call) && !isRepeated) return undefined;
    return call.isWhole() && hasText ? undefined : call;
  }

  /** Returns the call that has the index and the id, or as much of them as possible. */
  #candidate(
    index: number | null | undefined,
    id: string | null | undefined,
    name: string,
  ): Call | undefined {
    const numbered = index == null ? this.#last : this.#byIndex.get(index);
    const known = id ? this.#byId.get(id) : undefined;
    if (!known || numbered === known || (id && numbered?.id === id)) return numbered;
    // All calls may have one id, so the name at a new index begins a call in spite of it.
    return name && index != null && !numbered ? undefined : known;
  }

  #begin({ index }: ToolCall, name: string): Call {
    const call = new Call();
    const before = index == null ? this.#last : this.#byIndex.get(index);
    call.name = name || before?.nextName || "";
    this.#count += 1;
    return call;
  }

  #learn(call: Call, { index, id }: ToolCall, name: string): void {
    if (name && call.name && call.isWhole()) call.nextName = name;
    call.name ||= name;
    // Callers pair the results with the calls by the id, so no two calls may have the same.
    if (id && !call.id && !this.#byId.has(id) && !this.takenIds.has(id)) call.id = id;
    if (id && (!this.#byId.has(id) || call.arguments === "")) this.#byId.set(id, call);
    if (index != null) this.#byIndex.set(index, call);
    this.#last = call;
  }
}
