import { api } from "../../api/api.ts";
import type { Agent } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { showToast } from "../../components/toast.tsx";
import { text } from "../../texts/texts.ts";

/** Says that the agent is an older version of this program than its server. Empty for any other agent. */
export function OldVersionBadge({ agent: { version, newer_version: newer } }: { agent: Agent }) {
  if (typeof newer !== "string") return null;
  return <Badge tone="warn">{text("agents.oldVersion", { version: version ?? "", newer })}</Badge>;
}

/** Asks the agent to update itself. Empty if its owner does not allow that. */
export function UpdateAgentButton({ agent: { id, name, can_update } }: { agent: Agent }) {
  if (!can_update) return null;
  const update = async () => {
    await api.updateAgent(id);
    showToast(text("agents.updateAsked", { name }));
  };
  return <Button onClick={update}>{text("agents.update")}</Button>;
}
