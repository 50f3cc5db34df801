import type { Choice } from "../chunk.ts";
import { customInput, type ToolName } from "./tools.ts";

type ItemStatus = "in_progress" | "completed" | "incomplete";
type Logprobs = NonNullable<NonNullable<Choice["logprobs"]>["content"]>;

interface TextPart {
  type: "output_text";
  text: string;
  annotations: never[];
  logprobs: Logprobs;
}
interface RefusalPart {
  type: "refusal";
  refusal: string;
}

export type OutputItem =
  | {
      id: string;
      type: "message";
      status: ItemStatus;
      role: "assistant";
      content: (TextPart | RefusalPart)[];
    }
  | { id: string; type: "reasoning"; status: ItemStatus; summary: { type: "summary_text"; text: string }[] }
  | CallItem;
type CallItem = { id: string; status: ItemStatus; call_id: string; name: string; namespace?: string } & (
  | { type: "function_call"; arguments: string }
  | { type: "custom_tool_call"; input: string }
);

/** The position of an item in its response, and where its events go. */
export interface ItemContext {
  outputIndex: number;
  newId: () => string;
  emit: (type: string, fields: Record<string, unknown>) => void;
}

export interface OpenItem {
  item: OutputItem;
  /** Sends the last events of the item. Called once. */
  close(status: "completed" | "incomplete"): void;
}

function open<Item extends OutputItem>(context: ItemContext, item: Item) {
  context.emit("response.output_item.added", { output_index: context.outputIndex, item });
  return {
    emit(type: string, fields: Record<string, unknown>) {
      context.emit(type, { item_id: item.id, output_index: context.outputIndex, ...fields });
    },
    done(status: "completed" | "incomplete") {
      item.status = status;
      context.emit("response.output_item.done", { output_index: context.outputIndex, item });
    },
  };
}

export interface OpenMessage extends OpenItem {
  write(kind: "output_text" | "refusal", delta: string, logprobs: Logprobs): void;
}

export function openMessage(context: ItemContext): OpenMessage {
  const content: (TextPart | RefusalPart)[] = [];
  const item: OutputItem = {
    id: `msg_${context.newId()}`,
    type: "message",
    status: "in_progress",
    role: "assistant",
    content,
  };
  const { emit, done } = open(context, item);
  const closePart = () => {
    const part = content.at(-1);
    if (part === undefined) return;
    const where = { content_index: content.length - 1 };
    if (part.type === "output_text") {
      emit("response.output_text.done", { ...where, text: part.text, logprobs: part.logprobs });
    } else emit("response.refusal.done", { ...where, refusal: part.refusal });
    emit("response.content_part.done", { ...where, part });
  };
  const partOf = (kind: "output_text" | "refusal") => {
    const last = content.at(-1);
    if (last?.type === kind) return last;
    closePart();
    const part: TextPart | RefusalPart =
      kind === "output_text"
        ? { type: kind, text: "", annotations: [], logprobs: [] }
        : { type: kind, refusal: "" };
    content.push(part);
    emit("response.content_part.added", { content_index: content.length - 1, part });
    return part;
  };
  return {
    item,
    write(kind, delta, logprobs) {
      const part = partOf(kind);
      const where = { content_index: content.length - 1 };
      if (part.type === "output_text") {
        part.text += delta;
        part.logprobs.push(...logprobs);
        emit("response.output_text.delta", { ...where, delta, logprobs });
      } else {
        part.refusal += delta;
        emit("response.refusal.delta", { ...where, delta });
      }
    },
    close(status) {
      closePart();
      done(status);
    },
  };
}

export interface OpenReasoning extends OpenItem {
  write(delta: string): void;
}

/**
 * Sends the whole reasoning as its summary. Codex CLI and the AI SDK show the summary and send it back, and
 * do neither with `reasoning_text`.
 */
export function openReasoning(context: ItemContext): OpenReasoning {
  const part = { type: "summary_text" as const, text: "" };
  const summary: { type: "summary_text"; text: string }[] = [];
  const item: OutputItem = { id: `rs_${context.newId()}`, type: "reasoning", status: "in_progress", summary };
  const { emit, done } = open(context, item);
  const where = { summary_index: 0 };
  summary.push(part);
  emit("response.reasoning_summary_part.added", { ...where, part });
  return {
    item,
    write(delta) {
      part.text += delta;
      emit("response.reasoning_summary_text.delta", { ...where, delta });
    },
    close(status) {
      emit("response.reasoning_summary_text.done", { ...where, text: part.text });
      emit("response.reasoning_summary_part.done", { ...where, part });
      done(status);
    },
  };
}

export interface OpenCall extends OpenItem {
  write(delta: string): void;
}

export function openCall(
  context: ItemContext,
  callId: string,
  { kind, name, namespace }: ToolName,
): OpenCall {
  const names = { call_id: callId, name, ...(namespace !== undefined && { namespace }) };
  return kind === "custom" ? openCustomCall(context, names) : openFunctionCall(context, names);
}

type CallNames = Pick<CallItem, "call_id" | "name" | "namespace">;

function openFunctionCall(context: ItemContext, names: CallNames): OpenCall {
  const id = `fc_${context.newId()}`;
  const item = {
    id,
    type: "function_call" as const,
    status: "in_progress" as ItemStatus,
    ...names,
    arguments: "",
  };
  const { emit, done } = open(context, item);
  return {
    item,
    write(delta) {
      item.arguments += delta;
      emit("response.function_call_arguments.delta", { delta });
    },
    close(status) {
      emit("response.function_call_arguments.done", { name: item.name, arguments: item.arguments });
      done(status);
    },
  };
}

/** The input is inside the JSON of the arguments, so it is known only when they are complete. */
function openCustomCall(context: ItemContext, names: CallNames): OpenCall {
  const id = `ctc_${context.newId()}`;
  const item = {
    id,
    type: "custom_tool_call" as const,
    status: "in_progress" as ItemStatus,
    ...names,
    input: "",
  };
  const { emit, done } = open(context, item);
  let callArguments = "";
  return {
    item,
    write(delta) {
      callArguments += delta;
    },
    close(status) {
      item.input = customInput(callArguments);
      if (item.input !== "") emit("response.custom_tool_call_input.delta", { delta: item.input });
      emit("response.custom_tool_call_input.done", { input: item.input });
      done(status);
    },
  };
}
