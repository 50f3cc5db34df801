import { StateWithReason } from "../../components/badge.tsx";
import { Card } from "../../components/card.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatDuration, formatNumber, formatUptime } from "../../format.ts";
import { text } from "../../texts/texts.ts";
import type { NodeRow } from "./node-rows.ts";

const COLUMNS: readonly Column<NodeRow>[] = [
  {
    title: text("overview.nodes.node"),
    cell: ({ name }) => name,
    sortBy: ({ name }) => name,
    isHeader: true,
  },
  {
    title: text("overview.nodes.state"),
    cell: ({ label, tone, reason }) => <StateWithReason label={label} tone={tone} reason={reason} />,
  },
  {
    title: text("overview.nodes.version"),
    cell: ({ node }) => (node ? node.version : <Nothing />),
    sortBy: ({ node }) => node?.version,
  },
  {
    title: text("overview.nodes.uptime"),
    cell: ({ node }) => (node ? formatUptime(node.uptime_ms) : <Nothing />),
    sortBy: ({ node }) => node?.uptime_ms,
    isNumber: true,
  },
  {
    title: text("overview.nodes.agents"),
    cell: ({ node }) => (node ? formatNumber(node.agents.connected) : <Nothing />),
    sortBy: ({ node }) => node?.agents.connected,
    isNumber: true,
  },
  {
    title: text("overview.nodes.slots"),
    cell: ({ node }) => (node ? `${node.slots.in_use} / ${node.slots.total}` : <Nothing />),
    sortBy: ({ node }) => node?.slots.in_use,
    isNumber: true,
  },
  {
    title: text("overview.nodes.waiting"),
    cell: ({ node }) => (node ? <Waiting queue={node.queue} /> : <Nothing />),
    sortBy: ({ node }) => node?.queue.length,
    isNumber: true,
  },
];

function Nothing() {
  return <span class="muted">–</span>;
}

function Waiting({ queue }: Pick<NonNullable<NodeRow["node"]>, "queue">) {
  if (queue.length === 0) return <>{formatNumber(0)}</>;
  return (
    <>
      {formatNumber(queue.length)}{" "}
      <span class="muted">
        {text("overview.nodes.oldest", { time: formatDuration(queue.oldest_wait_ms) })}
      </span>
    </>
  );
}

/** The nodes of the cluster with their states. Their sums are the numbers of the rest of the page. */
export function NodesCard({ rows }: { rows: readonly NodeRow[] }) {
  return (
    <Card title={text("overview.nodes.title")} isFlush>
      <Table caption={text("overview.nodes.title")} columns={COLUMNS} rows={rows} keyOf={({ key }) => key} />
    </Card>
  );
}
