import { printable } from "../../../printable.ts";
import type { ModelAgent } from "../../api/types.ts";
import { StateWithReason } from "../../components/badge.tsx";
import { Card, type Tone } from "../../components/card.tsx";
import { useShowMore } from "../../components/list/use-show-more.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { AgentLink } from "./model-list.tsx";

const STATES: Record<ModelAgent["state"], { label: string; tone: Tone }> = {
  ready: { label: text("models.state.ready"), tone: "ok" },
  full: { label: text("models.state.full"), tone: "accent" },
  slow: { label: text("models.state.slow"), tone: "warn" },
  failing: { label: text("models.state.failing"), tone: "bad" },
  paused: { label: text("models.state.paused"), tone: "warn" },
  draining: { label: text("models.state.draining"), tone: "warn" },
};

/** The agents that offer a model, those that fail first. */
export function ModelAgents({ agents }: { agents: readonly ModelAgent[] }) {
  const { shown, more } = useShowMore(agents);
  if (agents.length === 0) return null;
  const node: Column<ModelAgent> = {
    title: text("models.column.node"),
    cell: (agent) => printable(agent.node ?? ""),
  };
  const columns: Column<ModelAgent>[] = [
    { title: text("models.column.agent"), cell: (agent) => <AgentLink agent={agent} />, isHeader: true },
    {
      title: text("models.column.state"),
      cell: ({ state, reason }) => (
        <StateWithReason {...STATES[state]} reason={reason && printable(reason)} />
      ),
    },
    { title: text("models.fact.loaded"), cell: ({ loaded }) => loadedText(loaded) },
    ...(agents.some((agent) => agent.node !== undefined) ? [node] : []),
    {
      title: text("nav.requests"),
      cell: ({ id, name }) => (
        <a href={requestsHref({ agent: id, period: "24h" })}>
          {text("models.agentRequests")}
          <span class="off-screen"> {printable(name || id)}</span>
        </a>
      ),
    },
  ];
  return (
    <Card title={text("models.agentsTitle")} isFlush class="models-card">
      <Table caption={text("models.agentsTitle")} columns={columns} rows={shown} keyOf={({ id }) => id} />
      {more}
    </Card>
  );
}

function loadedText(loaded: boolean | null): string {
  if (loaded === null) return text("models.notReported");
  return loaded ? text("models.loaded.true") : text("models.loaded.false");
}
