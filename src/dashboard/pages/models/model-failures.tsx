import { printable } from "../../../printable.ts";
import type { KeptRequest } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { Card } from "../../components/card.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatDuration, formatTime } from "../../format.ts";
import type { PeriodName } from "../../state/period.ts";
import { text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { AgentName } from "../requests/request-table.tsx";
import { ErrorName } from "../requests/result.tsx";

interface ModelFailuresProps {
  failures: readonly KeptRequest[];
  id: string;
  period: PeriodName;
}

/** The last requests that failed. Each leads to its details. */
export function ModelFailures({ failures, id, period }: ModelFailuresProps) {
  const all = { model: id, period, outcome: "failed" };
  const columns: Column<KeptRequest>[] = [
    {
      title: text("models.column.arrived"),
      cell: ({ request_id, at }) => (
        <a href={requestsHref({ ...all, open: request_id, at })}>{formatTime(at)}</a>
      ),
      isHeader: true,
    },
    { title: text("models.column.error"), cell: (request) => <Failure request={request} /> },
    { title: text("models.column.agent"), cell: ({ agent }) => <AgentName agent={agent} /> },
    {
      title: text("models.column.duration"),
      cell: ({ duration_ms }) => formatDuration(duration_ms),
      isNumber: true,
    },
  ];
  return (
    <Card
      title={text("models.lastFailures")}
      isFlush
      actions={<a href={requestsHref(all)}>{text("models.allFailures")}</a>}
    >
      <Table
        caption={text("models.lastFailures")}
        columns={columns}
        rows={failures}
        keyOf={({ request_id, at }) => `${request_id} ${at}`}
      />
    </Card>
  );
}

function Failure({ request: { outcome, error } }: { request: KeptRequest }) {
  return (
    <span class="agent-cell">
      <span>
        <Badge tone="bad">
          <ErrorName code={outcome} />
        </Badge>
      </span>
      {error === null ? null : <span class="agent-sub agent-reason model-error">{printable(error)}</span>}
    </span>
  );
}
