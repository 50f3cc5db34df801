import { jsonExcess } from "../json/bounds.ts";
import { textField } from "../json/parse.ts";
import { AGENT_FRAME_TYPES, AgentFrame, frameFault } from "../protocol/agent-v2.ts";
import { plainFrame } from "../protocol/plain.ts";
import type { Agent } from "../relay/agent.ts";

/** A frame that is not about an ask. */
export type OtherFrame = Extract<AgentFrame, { type: "pause" | "update" | "announce" }>;

/** A frame about an ask that the agent has. */
export type AnswerFrame = Extract<AgentFrame, { ask: string }>;

/** Whether it announces what may be the answer of an ask. Such frames are as many as the answers. */
export const belongsToAsk = ({ type }: OtherFrame, agent: Agent): boolean =>
  type === "announce" && agent.inUse.size > 0;

export type DeltaFrame = Extract<AgentFrame, { type: "delta" }>;

/**
 * Whether the JSON text in a frame, which is parsed later on, is nested too deeply for that. The text is the
 * upstream's. So it is a fault of this one answer, and the agent's other asks go on.
 */
export function isTooDeep(frame: AnswerFrame): boolean {
  const { type } = frame;
  const json = type === "delta" ? frame.data : type === "done" ? frame.body : undefined;
  return json !== undefined && jsonExcess(json, Number.POSITIVE_INFINITY) !== undefined;
}

/** The fault of a frame. */
export interface Fault {
  /** The frame's type, if it has a known one. */
  type?: string;
  fault: string;
}

/** A frame that may be used; "unknown" for one of a newer protocol. */
export type ParsedFrame = AgentFrame | "unknown" | Fault;

/** Reads a frame from a value that an agent sent. */
export function readFrame(value: unknown): ParsedFrame {
  const plain = plainFrame(value);
  if (plain) return plain;
  const { success, data: frame, error } = AgentFrame.safeParse(value);
  if (success) return frame;
  const type = textField(value, "type");
  if (type === undefined) return { fault: frameFault(error) };
  return AGENT_FRAME_TYPES.has(type) ? { type, fault: frameFault(error) } : "unknown";
}
