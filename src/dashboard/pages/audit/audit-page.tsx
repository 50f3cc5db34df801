import { api } from "../../api/api.ts";
import { pathOf } from "../../api/request.ts";
import type { AuditRow } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { Button, LinkButton } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatSecond } from "../../format.ts";
import { useState } from "../../state/hooks.ts";
import { hrefOf } from "../../state/route.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { detailText } from "./audit-detail.ts";

const PAGE_ROWS = 50;
const CSV_ROWS = 1000;

const COLUMNS: readonly Column<AuditRow>[] = [
  { title: "Time", cell: ({ at }) => <time datetime={at}>{formatSecond(at)}</time> },
  { title: "By", cell: ({ actor }) => <Badge tone={actor === "cli" ? "plain" : "accent"}>{actor}</Badge> },
  { title: "Action", cell: (row) => <Action row={row} />, isHeader: true },
  { title: "Target", cell: (row) => <Target row={row} /> },
  { title: "Details", cell: ({ detail }) => <span class="audit-detail">{detailText(detail)}</span> },
  { title: "Address", cell: ({ address }) => <span class="mono">{address ?? "–"}</span> },
];

export function AuditPage() {
  /** The start of each visited page, to go back to it. */
  const [starts, setStarts] = useState<readonly (number | undefined)[]>([undefined]);
  const before = starts.at(-1);
  const { value, error, isLoading } = useFetch(
    (signal) => api.audit({ limit: PAGE_ROWS, before }, signal),
    [before],
  );
  const next = value?.next ?? undefined;
  return (
    <>
      <PageHeader
        title="Audit log"
        lead="Every change that administrators made here, through the API, or on the command line."
      >
        <LinkButton href={pathOf(["admin", "audit"], { format: "csv", limit: CSV_ROWS })} download>
          Download the newest {CSV_ROWS} as CSV
        </LinkButton>
      </PageHeader>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value ? (
        <Card isFlush>
          <Table
            caption="Changes by administrators, newest first"
            columns={COLUMNS}
            rows={value.audit}
            keyOf={({ seq }) => seq}
            empty={<EmptyState title="No changes have been made yet." />}
          />
        </Card>
      ) : null}
      {starts.length > 1 || next !== undefined ? (
        <nav class="row" aria-label="Audit log pages">
          <Button disabled={isLoading || starts.length === 1} onClick={() => setStarts(starts.slice(0, -1))}>
            ← Newer
          </Button>
          <span class="muted">Page {starts.length}</span>
          <Button disabled={isLoading || next === undefined} onClick={() => setStarts([...starts, next])}>
            Older →
          </Button>
        </nav>
      ) : null}
    </>
  );
}

function Target({ row: { action, target } }: { row: AuditRow }) {
  if (target === null) return <>–</>;
  const id = <span class="mono">{target}</span>;
  return action.startsWith("user.") ? <a href={hrefOf("users", target)}>{id}</a> : id;
}

function Action({ row: { action, detail } }: { row: AuditRow }) {
  return (
    <>
      {action} {detail && "failed" in detail ? <Badge tone="bad">failed</Badge> : null}
    </>
  );
}
