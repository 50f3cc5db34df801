import { z } from "zod";
import { MODEL_LENGTH_MAX, NAME_LENGTH_MAX } from "./bounds.ts";
import { count, frame, id, models, ms, text } from "./fields.ts";
import { LISTS, NodeOverview, NodeSecond } from "./lists.ts";
import { NodeProblems } from "./problems.ts";

/** The wishes of an administrator for an agent: see the methods of `Relay`. */
const AgentAction = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("disconnect"), drain: z.boolean() }),
  /** Closes the circuits of the agent, or the one of a model. */
  z.object({ kind: z.literal("reset"), model: text(MODEL_LENGTH_MAX).optional() }),
  /** Asks the agent to update itself. */
  z.object({ kind: z.literal("update") }),
]);
export type AgentAction = z.output<typeof AgentAction>;

const AgentActionResult = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("disconnect"), state: z.enum(["closed", "draining"]) }),
  z.object({ kind: z.literal("reset"), models }),
  z.object({ kind: z.literal("update"), state: z.enum(["asked", "refused"]) }),
]);
export type AgentActionResult = z.output<typeof AgentActionResult>;

/** Frames for the administrator's lists and figures. */
export const LIST_FRAMES = [
  /** Asks for the rows of a list; with `user`, only for those of the user. */
  frame("ask_list", { n: count, list: text(64), user: text(NAME_LENGTH_MAX).optional() }),
  /** Some rows of the list. `total`: how many there are, if not all are sent. `more`: further frames follow. */
  frame("list", { n: count, ...LISTS, total: count.optional(), more: z.boolean().optional() }),
  /** Does something to an agent of the receiver, and its result; null if the agent has left. */
  frame("act", { n: count, agent: id, action: AgentAction }),
  frame("acted", { n: count, result: AgentActionResult.nullable() }),
  /** The sender wants the figures of the receiver for this time; with `overview`, those of the past first. */
  frame("watch", { for_ms: ms, overview: z.boolean().optional() }),
  frame("overview", { overview: NodeOverview }),
  frame("second", { second: NodeSecond }),
  /** Everything that is wrong with the sender. */
  frame("problems", { problems: NodeProblems }),
] as const;
