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

/** Where an item stands in the answer, and where its events go. */
export interface Place {
  outputIndex: number;
  newId: () => string;
  emit: (type: string, fields: Record<string, unknown>) => void;
}

export interface OpenItem {
  item: OutputItem;
  /** Sends whatever the item still wants. Once. */
  close(status: "completed" | "incomplete"): void;
}

function open<Item extends OutputItem>(place: Place, item: Item) {
  place.emit("response.output_item.added", { output_index: place.outputIndex, item });
  return {
    emit(type: string, fields: Record<string, unknown>) {
      place.emit(type, { item_id: item.id, output_index: place.outputIndex, ...fields });
    },
    done(status: "completed" | "incomplete") {
      item.status = status;
      place.emit("response.output_item.done", { output_index: place.outputIndex, item });
    },
  };
}

export interface OpenMessage extends OpenItem {
  write(kind: "output_text" | "refusal", delta: string, logprobs: Logprobs): void;
}

export function openMessage(place: Place): OpenMessage {
  const content: (TextPart | RefusalPart)[] = [];
  const item: OutputItem = {
    id: `msg_${place.newId()}`,
    type: "message",
    status: "in_progress",
    role: "assistant",
    content,
  };
  const { emit, done } = open(place, item);
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
 * The reasoning goes out as its summary, though it is the whole of it: that is what Codex CLI and the AI SDK
 * show, and what both send back, which neither does with `reasoning_text`.
 */
export function openReasoning(place: Place): OpenReasoning {
  const part = { type: "summary_text" as const, text: "" };
  const summary: { type: "summary_text"; text: string }[] = [];
  const item: OutputItem = { id: `rs_${place.newId()}`, type: "reasoning", status: "in_progress", summary };
  const { emit, done } = open(place, item);
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

export function openCall(place: Place, callId: string, { kind, name, namespace }: ToolName): OpenCall {
  const whose = { call_id: callId, name, ...(namespace !== undefined && { namespace }) };
  return kind === "custom" ? openCustomCall(place, whose) : openFunctionCall(place, whose);
}

type Whose = Pick<CallItem, "call_id" | "name" | "namespace">;

function openFunctionCall(place: Place, whose: Whose): OpenCall {
  const id = `fc_${place.newId()}`;
  const item = {
    id,
    type: "function_call" as const,
    status: "in_progress" as ItemStatus,
    ...whose,
    arguments: "",
  };
  const { emit, done } = open(place, item);
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

/** Its text stands inside the JSON of the arguments, so it is known only when they are complete. */
function openCustomCall(place: Place, whose: Whose): OpenCall {
  const id = `ctc_${place.newId()}`;
  const item = {
    id,
    type: "custom_tool_call" as const,
    status: "in_progress" as ItemStatus,
    ...whose,
    input: "",
  };
  const { emit, done } = open(place, item);
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
