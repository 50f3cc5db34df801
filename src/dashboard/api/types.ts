import type {
  AddedAgentKey as AddedAgentKeyShape,
  AddedUser as AddedUserShape,
  AgentDisconnected as AgentDisconnectedShape,
  AgentKeyList as AgentKeyListShape,
  AgentList as AgentListShape,
  AuditAnswer as AuditAnswerShape,
  RotatedToken as RotatedTokenShape,
  UserAnswer as UserAnswerShape,
  UserList as UserListShape,
} from "../../http/admin/answers.ts";

/** What the API's shapes stand for; the shapes themselves stay out of the page, as their parser is large. */
type Of<Shape extends { _output: unknown }> = Shape["_output"];

export type User = Of<typeof UserAnswerShape>;
export type ListedUser = Of<typeof UserListShape>["users"][number];
export type AddedUser = Of<typeof AddedUserShape>;
export type RotatedToken = Of<typeof RotatedTokenShape>;
export type Agent = Of<typeof AgentListShape>["agents"][number];
export type AgentDisconnected = Of<typeof AgentDisconnectedShape>;
export type AgentKey = Of<typeof AgentKeyListShape>["keys"][number];
export type AddedAgentKey = Of<typeof AddedAgentKeyShape>;
export type AuditPage = Of<typeof AuditAnswerShape>;
export type AuditRow = AuditPage["audit"][number];

export type { SettingsAnswer } from "../../http/admin/server-schema.ts";
export type { LiveAsk, LiveFrame, LiveSample, Overview, SampleField } from "../../http/live/schema.ts";
export type { SessionAnswer } from "../../http/session/schema.ts";

export type UsageGroup = "user" | "agent" | "model" | "day";

/** One line of the usage: those of the four names are there by which it is grouped. */
export interface UsageEntry {
  /** Null for the admin key. */
  user?: string | null;
  /** Null where no agent had the ask. */
  agent?: string | null;
  model?: string | null;
  /** As 2026-11-23, in UTC. */
  day?: string;
  asks: number;
  failed: number;
  prompt_tokens: number;
  completion_tokens: number;
  /** Asks that an agent had and whose tokens nobody counted. */
  uncounted: number;
  duration_ms: number;
}

export interface Usage {
  from: string;
  to: string;
  by: UsageGroup[];
  /** There are more entries than these. */
  truncated: boolean;
  usage: UsageEntry[];
}
