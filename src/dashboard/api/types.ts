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
} from "../../http/admin/schema.ts";
import type { UsageAnswer } from "../../http/usage/schema.ts";

/** The type that a schema describes. The schemas stay out of the page, because their parser is large. */
type Output<Schema extends { _output: unknown }> = Schema["_output"];

export type User = Output<typeof UserAnswerShape>;
export type ListedUser = Output<typeof UserListShape>["users"][number];
export type AddedUser = Output<typeof AddedUserShape>;
export type RotatedToken = Output<typeof RotatedTokenShape>;
export type Agent = Output<typeof AgentListShape>["agents"][number];
export type AgentDisconnected = Output<typeof AgentDisconnectedShape>;
export type AgentKey = Output<typeof AgentKeyListShape>["keys"][number];
export type AddedAgentKey = Output<typeof AddedAgentKeyShape>;
export type AuditPage = Output<typeof AuditAnswerShape>;
export type AuditRow = AuditPage["audit"][number];

export type { SettingsAnswer } from "../../http/admin/schema.ts";
export type { LiveAsk, LiveFrame, LiveSample, Overview, SampleField } from "../../http/live/schema.ts";
export type { SessionAnswer } from "../../http/session/schema.ts";

export type { UsageAnswer, UsageEntry } from "../../http/usage/schema.ts";
export type UsageGroup = UsageAnswer["by"][number];
