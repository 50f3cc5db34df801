import { StateWithReason } from "../../components/badge.tsx";
import { Card } from "../../components/card.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatDuration, formatNumber, formatUptime } from "../../format.ts";
import type { NodeRow } from "./node-rows.ts";

const COLUMNS: readonly Column<NodeRow>[] = [
  { title: "Node", cell: ({ name }) => name, sortBy: ({ name }) => name, isHeader: true },
  {
    title: "State",
    cell: ({ label, tone, reason }) => <StateWithReason label={label} tone={tone} reason={reason} />,
  },
  {
    title: "Version",
    cell: ({ node }) => (node ? node.version : <Nothing />),
    sortBy: ({ node }) => node?.version,
  },
  {
    title: "Uptime",
    cell: ({ node }) => (node ? formatUptime(node.uptime_ms) : <Nothing />),
    sortBy: ({ node }) => node?.uptime_ms,
    isNumber: true,
  },
  {
    title: "Agents",
    cell: ({ node }) => (node ? formatNumber(node.agents.connected) : <Nothing />),
    sortBy: ({ node }) => node?.agents.connected,
    isNumber: true,
  },
  {
    title: "Slots in use",
    cell: ({ node }) => (node ? `${node.slots.in_use} / ${node.slots.total}` : <Nothing />),
    sortBy: ({ node }) => node?.slots.in_use,
    isNumber: true,
  },
  {
    title: "Waiting requests",
    cell: ({ node }) => (node ? <Waiting queue={node.queue} /> : <Nothing />),
    sortBy: ({ node }) => node?.queue.length,
    isNumber: true,
  },
];

function Nothing() {
  return <span class="muted">–</span>;
}

function Waiting({ queue }: Pick<NonNullable<NodeRow["node"]>, "queue">) {
  if (queue.length === 0) return <>0</>;
  return (
    <>
      {formatNumber(queue.length)} <span class="muted">(oldest: {formatDuration(queue.oldest_wait_ms)})</span>
    </>
  );
}

/** The nodes of the cluster with their states. Their sums are the numbers of the rest of the page. */
export function NodesCard({ rows }: { rows: readonly NodeRow[] }) {
  return (
    <Card title="Nodes" isFlush>
      <Table caption="Nodes" columns={COLUMNS} rows={rows} keyOf={({ key }) => key} />
    </Card>
  );
}
