import { useMemo } from "hono/jsx/dom";
import type { Agent } from "../../api/types.ts";
import { StateWithReason } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Card, EmptyState } from "../../components/card.tsx";
import { Field, Select } from "../../components/field.tsx";
import { Pagination, usePagination } from "../../components/list/pagination.tsx";
import { Name } from "../../components/name.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatAgo } from "../../format.ts";
import { useAddress } from "../../state/use-address.ts";
import { code } from "../../texts/code.tsx";
import { richText, text } from "../../texts/texts.ts";
import { AGENT_ORDERS, agentRows, stateOf } from "./agent-rows.ts";
import { OldVersionBadge } from "./agent-version.tsx";

/** More would make each change of the page slow to draw. */
const ROWS = 50;

interface AgentListProps {
  agents: readonly Agent[];
  /** The server's time, in milliseconds since 1970. */
  now: number;
  onShow: (agent: Agent) => void;
  onDisconnect: (agent: Agent) => void;
}

/**
 * The order is chosen above the table, not in its header, because it applies to all agents, not only to those
 * shown.
 */
export function AgentList(props: AgentListProps) {
  const { agents } = props;
  const address = useAddress();
  const search = address.get("search") ?? "";
  const order = AGENT_ORDERS.find(({ value }) => value === address.get("order"))?.value ?? "newest";
  // The list is drawn each second, with other times.
  const rows = useMemo(() => agentRows(agents, search, order), [agents, search, order]);
  const { shown, ...pages } = usePagination(rows, ROWS, `${order} ${search}`);
  return (
    <Card isFlush class="agents-card short-cards">
      <search class="filter-bar">
        <Field
          label={text("agents.search")}
          name="search"
          type="search"
          placeholder={text("agents.search.placeholder")}
          value={search}
          onInput={(typed) => address.change({ search: typed })}
        />
        <Select
          label={text("agents.sortBy")}
          name="order"
          value={order}
          options={AGENT_ORDERS}
          onInput={(value) => address.change({ order: value })}
        />
      </search>
      <Table
        caption={text("agents.caption")}
        columns={columnsOf(props)}
        rows={shown}
        keyOf={({ id }) => id}
        empty={
          <EmptyState title={text("agents.noMatch")}>
            <p>{richText("agents.noMatch.about", { example: code("protocol:v1") })}</p>
          </EmptyState>
        }
      />
      <Pagination {...pages} label={text("agents.pages")} />
    </Card>
  );
}

function columnsOf({ agents, now, onShow, onDisconnect }: AgentListProps): Column<Agent>[] {
  const isCluster = agents.some(({ node }) => node !== undefined);
  const nodeColumn: Column<Agent> = { title: text("agents.node"), cell: ({ node }) => node ?? "" };
  return [
    {
      title: text("agents.agent"),
      cell: (agent) => <AgentName agent={agent} onShow={onShow} />,
      isHeader: true,
    },
    { title: text("agents.state"), cell: (agent) => <AgentStateBadge agent={agent} /> },
    { title: text("agents.slots"), cell: (agent) => <AgentLoad agent={agent} /> },
    { title: text("agents.models"), cell: ({ models }) => <AgentModels models={models} /> },
    { title: text("agents.lastSeen"), cell: ({ last_heard }) => formatAgo(last_heard, now) },
    { title: text("agents.address"), cell: (agent) => <AgentOrigin agent={agent} />, isMinor: isCluster },
    ...(isCluster ? [nodeColumn] : []),
    {
      title: text("agents.actions"),
      cell: (agent) => (
        <Button
          isSmall
          label={text("agents.disconnectOf", { name: agent.name })}
          onClick={() => onDisconnect(agent)}
        >
          {text("agents.disconnect")}
        </Button>
      ),
    },
  ];
}

function AgentName({ agent, onShow }: { agent: Agent } & Pick<AgentListProps, "onShow">) {
  const { name, version, protocol, transport } = agent;
  const about = [
    ...(version === null ? [] : [version]),
    text("agents.protocol", { protocol }),
    ...(transport === "long-polling" ? [text("agents.longPolling")] : []),
  ];
  return (
    <span class="agent-cell">
      <Name text={name}>
        <button type="button" class="agent-name" aria-haspopup="dialog" onClick={() => onShow(agent)}>
          {name}
        </button>
      </Name>
      <span class="agent-sub">{about.join(" · ")}</span>
      <OldVersionBadge agent={agent} />
    </span>
  );
}

export function AgentStateBadge({ agent }: { agent: Agent }) {
  return <StateWithReason {...stateOf(agent)} />;
}

const BAR_WIDTH = 72;

export function AgentLoad({ agent: { in_use, slots } }: { agent: Agent }) {
  return (
    <span class="agent-load">
      <span>
        {in_use} / {slots}
      </span>
      <svg class="load-bar" viewBox={`0 0 ${BAR_WIDTH} 6`} aria-hidden="true" focusable="false">
        <rect class="load-all" width={BAR_WIDTH} height="6" rx="3" />
        <rect class="load-used" width={(BAR_WIDTH * in_use) / slots} height="6" rx="3" />
      </svg>
    </span>
  );
}

const MODELS_SHOWN = 2;

function AgentModels({ models }: { models: readonly string[] }) {
  const rest = models.length - MODELS_SHOWN;
  if (models.length === 0) return <span class="muted">{text("agents.noModels")}</span>;
  return (
    <span class="agent-cell">
      {models.slice(0, MODELS_SHOWN).map((model) => (
        <Name key={model} text={model} class="agent-model mono" />
      ))}
      {rest > 0 ? <span class="agent-sub">{text("agents.moreModels", { count: rest })}</span> : null}
    </span>
  );
}

function AgentOrigin({ agent: { address, key } }: { agent: Agent }) {
  return (
    <span class="agent-cell">
      <span class="mono">{address}</span>
      <Name text={originText(key)} class="agent-sub" />
    </span>
  );
}

function originText(key: string | null): string {
  if (key === null) return text("agents.noKey");
  return key === "main" ? text("agents.mainKey") : text("agents.keyOf", { name: key });
}
