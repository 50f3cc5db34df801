import type { Choice } from "../chat-completion.ts";
import { customInput, type ToolName } from "./tools.ts";

type ItemStatus = "in_progress" | "completed" | "incomplete";
type ClosedStatus = Exclude<ItemStatus, "in_progress">;
type Logprobs = NonNullable<NonNullable<Choice["logprobs"]>["content"]>;

type TextPart = { type: "output_text"; text: string; annotations: never[]; logprobs: Logprobs };
type RefusalPart = { type: "refusal"; refusal: string };
type SummaryPart = { type: "summary_text"; text: string };

/** The fields that every item of a response has. */
type Item<Type> = { id: string; type: Type; status: ItemStatus };
type MessageItem = Item<"message"> & { role: "assistant"; content: (TextPart | RefusalPart)[] };
type ReasoningItem = Item<"reasoning"> & { summary: SummaryPart[] };
type CallNames = { call_id: string; name: string; namespace?: string };
type FunctionCallItem = Item<"function_call"> & CallNames & { arguments: string };
type CustomCallItem = Item<"custom_tool_call"> & CallNames & { input: string };

export type OutputItem = MessageItem | ReasoningItem | FunctionCallItem | CustomCallItem;
export type EmitEvent = (type: string, fields: Record<string, unknown>) => void;

/** The position of an item in its response, and where its events go. */
export interface ItemContext {
  outputIndex: number;
  newId: () => string;
  emit: EmitEvent;
}

/** An item that is being written. */
export class OpenItem<Kind extends OutputItem = OutputItem> {
  constructor(
    private readonly context: ItemContext,
    readonly item: Kind,
  ) {
    context.emit("response.output_item.added", { output_index: context.outputIndex, item });
  }

  /** Sends the last events of the item. Called once. */
  close(status: ClosedStatus): void {
    const { item } = this;
    item.status = status;
    this.context.emit("response.output_item.done", { output_index: this.context.outputIndex, item });
  }

  protected emit(type: string, fields: Record<string, unknown>): void {
    const { outputIndex, emit } = this.context;
    emit(type, { item_id: this.item.id, output_index: outputIndex, ...fields });
  }
}

export class OpenMessage extends OpenItem<MessageItem> {
  constructor(context: ItemContext) {
    const id = `msg_${context.newId()}`;
    super(context, { id, type: "message", status: "in_progress", role: "assistant", content: [] });
  }

  write(kind: "output_text" | "refusal", delta: string, logprobs: Logprobs): void {
    const part = this.#partOf(kind);
    if (part.type === "output_text") {
      part.text += delta;
      part.logprobs.push(...logprobs);
      this.#emitOfPart("response.output_text.delta", { delta, logprobs });
    } else {
      part.refusal += delta;
      this.#emitOfPart("response.refusal.delta", { delta });
    }
  }

  override close(status: ClosedStatus): void {
    this.#closePart();
    super.close(status);
  }

  #partOf(kind: "output_text" | "refusal"): TextPart | RefusalPart {
    const last = this.item.content.at(-1);
    if (last?.type === kind) return last;
    this.#closePart();
    const part: TextPart | RefusalPart =
      kind === "refusal"
        ? { type: kind, refusal: "" }
        : { type: kind, text: "", annotations: [], logprobs: [] };
    this.item.content.push(part);
    this.#emitOfPart("response.content_part.added", { part });
    return part;
  }

  #closePart(): void {
    const part = this.item.content.at(-1);
    if (part === undefined) return;
    if (part.type === "refusal") this.#emitOfPart("response.refusal.done", { refusal: part.refusal });
    else this.#emitOfPart("response.output_text.done", { text: part.text, logprobs: part.logprobs });
    this.#emitOfPart("response.content_part.done", { part });
  }

  /** Sends an event of the part that is being written. */
  #emitOfPart(type: string, fields: Record<string, unknown>): void {
    this.emit(type, { content_index: this.item.content.length - 1, ...fields });
  }
}

/**
 * Sends the whole reasoning as its summary. Codex CLI and the AI SDK show the summary and send it back, and
 * do neither with `reasoning_text`.
 */
export class OpenReasoning extends OpenItem<ReasoningItem> {
  readonly #part: SummaryPart = { type: "summary_text", text: "" };

  constructor(context: ItemContext) {
    const id = `rs_${context.newId()}`;
    super(context, { id, type: "reasoning", status: "in_progress", summary: [] });
    this.item.summary.push(this.#part);
    this.emit("response.reasoning_summary_part.added", { summary_index: 0, part: this.#part });
  }

  write(delta: string): void {
    this.#part.text += delta;
    this.emit("response.reasoning_summary_text.delta", { summary_index: 0, delta });
  }

  override close(status: ClosedStatus): void {
    this.emit("response.reasoning_summary_text.done", { summary_index: 0, text: this.#part.text });
    this.emit("response.reasoning_summary_part.done", { summary_index: 0, part: this.#part });
    super.close(status);
  }
}

export type OpenCall = OpenFunctionCall | OpenCustomCall;

export function openCall(
  context: ItemContext,
  callId: string,
  { kind, name, namespace }: ToolName,
): OpenCall {
  const names = { call_id: callId, name, ...(namespace !== undefined && { namespace }) };
  return kind === "custom" ? new OpenCustomCall(context, names) : new OpenFunctionCall(context, names);
}

class OpenFunctionCall extends OpenItem<FunctionCallItem> {
  constructor(context: ItemContext, names: CallNames) {
    const id = `fc_${context.newId()}`;
    super(context, { id, type: "function_call", status: "in_progress", ...names, arguments: "" });
  }

  write(delta: string): void {
    this.item.arguments += delta;
    this.emit("response.function_call_arguments.delta", { delta });
  }

  override close(status: ClosedStatus): void {
    // A call without arguments must have some that are JSON.
    if (this.item.arguments.trim() === "") this.write("{}");
    const { name, arguments: callArguments } = this.item;
    this.emit("response.function_call_arguments.done", { name, arguments: callArguments });
    super.close(status);
  }
}

/** The input is inside the JSON of the arguments, so it is known only when they are complete. */
class OpenCustomCall extends OpenItem<CustomCallItem> {
  #arguments = "";

  constructor(context: ItemContext, names: CallNames) {
    const id = `ctc_${context.newId()}`;
    super(context, { id, type: "custom_tool_call", status: "in_progress", ...names, input: "" });
  }

  write(delta: string): void {
    this.#arguments += delta;
  }

  override close(status: ClosedStatus): void {
    const input = customInput(this.#arguments);
    this.item.input = input;
    if (input !== "") this.emit("response.custom_tool_call_input.delta", { delta: input });
    this.emit("response.custom_tool_call_input.done", { input });
    super.close(status);
  }
}
