import type { Agent } from "../../api/types.ts";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { StaleNotice } from "../../components/stale-notice.tsx";
import { useState } from "../../state/hooks.ts";
import { countedText, text } from "../../texts/texts.ts";
import { AgentDetails } from "./agent-details.tsx";
import { AgentKeys } from "./agent-keys.tsx";
import { AgentList } from "./agent-list.tsx";
import { countByKey } from "./agent-rows.ts";
import { ClusterNotice } from "./cluster-notice.tsx";
import { DisconnectDialog } from "./disconnect-dialog.tsx";
import { JoinLink } from "./join-link.tsx";
import { OpenPairings } from "./pair/open-pairings.tsx";
import { PairDialog } from "./pair/pair-dialog.tsx";
import { useAgents } from "./use-agents.ts";

export function AgentsOverview() {
  const agents = useAgents();
  const { value, error, now } = agents;
  const [shown, setShown] = useState<Agent | undefined>(undefined);
  const [leaving, setLeaving] = useState<Agent | undefined>(undefined);
  const current = (agent: Agent) => value?.find(({ id }) => id === agent.id);
  const [isPairing, setPairing] = useState(false);
  const [changes, setChanges] = useState(0);
  const noteChange = () => setChanges((before) => before + 1);
  const closeDetails = () => setShown(undefined);
  return (
    <>
      <PageHeader title={text("agents.title")} lead={value ? leadOf(value) : text("agents.lead")}>
        <Button onClick={() => setPairing(true)}>{text("agents.pair")}</Button>
        <JoinLink />
      </PageHeader>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {agents.isStale && !error && value ? <StaleNotice at={new Date(now).toISOString()} /> : null}
      <ClusterNotice agents={agents} />
      {value && value.length > 0 ? (
        <AgentList agents={value} now={now} onShow={setShown} onDisconnect={setLeaving} />
      ) : null}
      {value?.length === 0 ? <NoAgents /> : null}
      <OpenPairings changes={changes} now={now} onGone={noteChange} />
      <AgentKeys connected={countByKey(value ?? [])} changes={changes} onRevoked={agents.reload} />
      {isPairing ? (
        <PairDialog
          isCluster={agents.isCluster}
          now={now}
          onChange={noteChange}
          onClose={() => setPairing(false)}
        />
      ) : null}
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

  return agents.length === 0
    ? text("agents.lead.none")
    : countedText("agents.lead.connected", agents.length, { inUse, slots });
}

function NoAgents() {
  return (
    <Card>
      <EmptyState title={text("agents.none")}>
        <p>{text("agents.none.about")}</p>
        <JoinLink />
      </EmptyState>
    </Card>
  );
}
