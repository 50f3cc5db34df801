import type * as agentKeys from "../../http/admin/agent-key-schema.ts";
import type * as models from "../../http/admin/models/schema.ts";
import type * as admin from "../../http/admin/schema.ts";
import type * as alerts from "../../http/alerts/schema.ts";
import type { UsageAnswer } from "../../http/usage/schema.ts";

export type { SettingsAnswer } from "../../http/admin/schema.ts";
export type { ProblemAnswer } from "../../http/alerts/schema.ts";
export type { LiveAsk, LiveFrame, LiveNode, LiveSample, Overview } from "../../http/live/schema.ts";
export type { KeptRequest, OwnRequest } from "../../http/requests/schema.ts";

import type { SessionList } from "../../http/session/schema.ts";

export type { SessionAnswer } from "../../http/session/schema.ts";
export type { TrafficAnswer, TrafficGroup } from "../../http/traffic/schema.ts";
export type { UsageAnswer, UsageEntry } from "../../http/usage/schema.ts";
export type { PriceList } from "../../prices/price-list.ts";

/** The type that a schema describes. The schemas stay out of the page, because their parser is large. */
type Output<Schema extends { _output: unknown }> = Schema["_output"];

export type SessionRow = SessionList["sessions"][number];
export type WebhookTested = Output<typeof alerts.WebhookTested>;
export type User = Output<typeof admin.UserAnswer>;
export type AddedUser = Output<typeof admin.AddedUser>;
export type RotatedToken = Output<typeof admin.RotatedToken>;
export type AgentList = Output<typeof admin.AgentList>;
export type Agent = AgentList["agents"][number];
export type AgentDisconnected = Output<typeof admin.AgentDisconnected>;
export type AgentReset = Output<typeof admin.AgentReset>;
export type AdminModel = Output<typeof models.AdminModel>;
export type AdminModelList = Output<typeof models.AdminModelList>;
export type AdminModelAnswer = Output<typeof models.AdminModelAnswer>;
export type ModelAgent = AdminModel["agent_list"][number];
export type AgentKey = Output<typeof agentKeys.AgentKeyList>["keys"][number];
export type AddedAgentKey = Output<typeof agentKeys.AddedAgentKey>;
export type AddedPairing = Output<typeof agentKeys.AddedPairing>;
export type Pairing = Output<typeof agentKeys.PairingList>["pairings"][number];
export type AuditPage = Output<typeof admin.AuditAnswer>;
export type AuditRow = AuditPage["audit"][number];
export type UsageGroup = UsageAnswer["by"][number];

/** A model, as the list of models describes it. What agents do not report is missing. */
export interface OfferedModel {
  id: string;
  /** In tokens. */
  context_length?: number;
  /** Such as `tools` and `vision`. */
  capabilities?: string[];
}
