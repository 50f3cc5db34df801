import { api } from "../../api/api.ts";
import { pathOf } from "../../api/request.ts";
import { Button, LinkButton } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { useState } from "../../state/hooks.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { text } from "../../texts/texts.ts";
import { type AuditFilter, isFiltered, readAuditFilter } from "./audit-filter.ts";
import { AuditFilterBar } from "./audit-filter-bar.tsx";
import { loadAudit } from "./audit-source.ts";
import { AuditTable } from "./audit-table.tsx";

const PAGE_ROWS = 50;
const CSV_ROWS = 1000;

export function AuditPage({ query }: { query: URLSearchParams }) {
  const filter = readAuditFilter(query);
  const csv = pathOf(["admin", "audit"], { format: "csv", limit: CSV_ROWS, ...filter });
  return (
    <>
      <PageHeader title={text("audit.title")} lead={text("audit.lead")}>
        <LinkButton href={csv} download>
          {text(isFiltered(filter) ? "audit.csvOfThese" : "audit.csv", { count: CSV_ROWS })}
        </LinkButton>
      </PageHeader>
      <AuditFilterBar filter={filter} />
      <AuditList key={JSON.stringify(filter)} filter={filter} />
    </>
  );
}

function AuditList({ filter }: { filter: AuditFilter }) {
  /** The start of each visited page, to go back to it. */
  const [starts, setStarts] = useState<readonly (number | undefined)[]>([undefined]);
  const before = starts.at(-1);
  const { value, error, isLoading } = useFetch(
    (signal) => loadAudit((page) => api.audit({ limit: PAGE_ROWS, ...page, ...filter }, signal), before),
    [before],
  );
  const next = value?.next ?? undefined;
  return (
    <>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value ? (
        <Card isFlush class="short-titles">
          <AuditTable rows={value.audit} empty={<EmptyState title={emptyText(filter, next)} />} />
        </Card>
      ) : null}
      {starts.length > 1 || next !== undefined ? (
        <nav class="row" aria-label={text("audit.pages")}>
          <Button disabled={isLoading || starts.length === 1} onClick={() => setStarts(starts.slice(0, -1))}>
            {text("audit.newer")}
          </Button>
          <span class="muted">{text("audit.page", { page: starts.length })}</span>
          <Button disabled={isLoading || next === undefined} onClick={() => setStarts([...starts, next])}>
            {text("audit.older")}
          </Button>
        </nav>
      ) : null}
    </>
  );
}

function emptyText(filter: AuditFilter, next: number | undefined): string {
  if (next !== undefined) return text("audit.noneYet");
  return text(isFiltered(filter) ? "audit.noMatch" : "audit.none");
}
