import type { Child } from "hono/jsx/dom";
import { printable } from "../../../printable.ts";
import type { AuditRow } from "../../api/types.ts";
import { Badge } from "../../components/badge.tsx";
import { LongText, Name } from "../../components/name.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatSecond } from "../../format.ts";
import { hrefOf } from "../../state/route.ts";
import { text } from "../../texts/texts.ts";
import { detailText, targetName } from "./audit-detail.ts";

const COLUMNS: readonly Column<AuditRow>[] = [
  { title: text("audit.time"), cell: ({ at }) => <time datetime={at}>{formatSecond(at)}</time> },
  {
    title: text("audit.actor"),
    cell: ({ actor }) => <Badge tone={actor === "cli" ? "plain" : "accent"}>{actor}</Badge>,
  },
  { title: text("audit.action"), cell: (row) => <Action row={row} />, isHeader: true },
  { title: text("audit.target"), cell: (row) => <Target row={row} /> },
  {
    title: text("audit.details"),
    cell: ({ detail }) => <LongText text={detailText(detail)} class="audit-detail" />,
  },
  { title: text("audit.address"), cell: ({ address }) => <span class="mono">{address ?? "–"}</span> },
];

export function AuditTable({ rows, empty }: { rows: readonly AuditRow[]; empty: Child }) {
  return (
    <Table
      caption={text("audit.caption")}
      columns={COLUMNS}
      rows={rows}
      keyOf={({ seq }) => seq}
      empty={empty}
    />
  );
}

/** Names what was changed, as it was called then; its id is shown on hover, or in place of a name. */
function Target({ row: { action, target, detail } }: { row: AuditRow }) {
  if (target === null) return <>–</>;
  const name = targetName(detail);
  const shown = name === undefined ? <span class="mono">{target}</span> : printable(name);
  return (
    <Name text={name ?? target} about={name === undefined ? "" : text("audit.id", { id: target })}>
      {action.startsWith("user.") ? <a href={hrefOf("users", target)}>{shown}</a> : shown}
    </Name>
  );
}

function Action({ row: { action, detail } }: { row: AuditRow }) {
  return (
    <>
      {action} {detail && "failed" in detail ? <Badge tone="bad">{text("audit.failed")}</Badge> : null}
    </>
  );
}
