import { useState } from "hono/jsx/dom";
import type { Agent } from "../../api/types.ts";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { formatCount } from "../../format.ts";
import { AgentDetails } from "./agent-details.tsx";
import { AgentKeys } from "./agent-keys.tsx";
import { AgentList } from "./agent-list.tsx";
import { countByKey } from "./agent-rows.ts";
import { DisconnectDialog } from "./disconnect-dialog.tsx";
import { JoinLink } from "./join-link.tsx";
import { useAgents } from "./use-agents.ts";

export function AgentsOverview() {
  const agents = useAgents();
  const { value, error, missingNodes, now } = agents;
  const [shown, setShown] = useState<Agent | undefined>(undefined);
  const [leaving, setLeaving] = useState<Agent | undefined>(undefined);
  const current = (agent: Agent) => value?.find(({ id }) => id === agent.id);
  const closeDetails = () => setShown(undefined);
  return (
    <>
      <PageHeader title="Agents" lead={value ? leadOf(value) : "The programs that provide the models."}>
        <JoinLink />
      </PageHeader>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {missingNodes.length > 0 ? (
        <Notice tone="warn">
          The list lacks agents, because these nodes do not answer: {missingNodes.join(", ")}.
        </Notice>
      ) : null}
      {value && value.length > 0 ? (
        <AgentList agents={value} now={now} onShow={setShown} onDisconnect={setLeaving} />
      ) : null}
      {value?.length === 0 ? <NoAgents /> : null}
      <AgentKeys connected={countByKey(value ?? [])} onRevoked={agents.reload} />
      {shown ? (
        <AgentDetails
          agent={current(shown) ?? shown}
          isConnected={current(shown) !== undefined}
          now={now}
          onReset={agents.reload}
          onDisconnect={() => {
            closeDetails();
            setLeaving(current(shown) ?? shown);
          }}
          onClose={closeDetails}
        />
      ) : null}
      {leaving ? (
        <DisconnectDialog
          agent={current(leaving) ?? leaving}
          onDone={agents.reload}
          onClose={() => setLeaving(undefined)}
        />
      ) : null}
    </>
  );
}

function leadOf(agents: readonly Agent[]): string {
  const slots = agents.reduce((sum, agent) => sum + agent.slots, 0);
  const inUse = agents.reduce((sum, agent) => sum + agent.in_use, 0);
  const connected = `${formatCount(agents.length, "agent")} connected`;
  return agents.length === 0
    ? "No agents are connected."
    : `${connected}, ${inUse} of ${slots} slots in use.`;
}

function NoAgents() {
  return (
    <Card>
      <EmptyState title="No agent is connected.">
        <p>
          An agent connects to this server from wherever the models are, so it needs no open port. Until an
          agent is connected, requests are refused.
        </p>
        <JoinLink />
      </EmptyState>
    </Card>
  );
}
