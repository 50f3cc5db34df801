import { useMemo } from "hono/jsx/dom";
import { printable } from "../../../printable.ts";
import type { UsageEntry, UsageGroup } from "../../api/types.ts";
import { EmptyState } from "../../components/card.tsx";
import { Hint, Name } from "../../components/name.tsx";
import { Pagination, usePagination } from "../../components/pagination.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatDuration, formatShare, formatWhole } from "../../format.ts";
import { PrincipalLink } from "../users/principal-link.tsx";
import { mediaFactsOf } from "./media-facts.ts";
import { refusalText, totalOf, type UsageTotals } from "./usage-totals.ts";

const TITLES: Record<UsageGroup, string> = { day: "Day (UTC)", model: "Model", agent: "Agent", user: "User" };
const CAPTIONS: Record<UsageGroup, string> = {
  day: "Usage by day (UTC)",
  model: "Usage by model",
  agent: "Usage by agent",
  user: "Usage by user",
};
const ROWS = 50;

interface UsageTableProps {
  group: UsageGroup;
  entries: readonly UsageEntry[];
  /** Returns the address of the requests that an entry counts, or of those with a result. */
  requestsOf: (entry: UsageEntry, outcome?: string) => string | undefined;
}

/**
 * Days are listed newest first, all else with most requests first. Sorting is off if there are several pages,
 * because it would sort only the page that is shown.
 */
export function UsageTable({ group, entries, requestsOf }: UsageTableProps) {
  const rows = useMemo(() => (group === "day" ? entries.toReversed() : entries), [group, entries]);
  const { shown, ...pages } = usePagination(rows, ROWS, group);
  const columns = columnsOf(group, totalOf(entries), requestsOf);
  return (
    <>
      <Table
        caption={CAPTIONS[group]}
        columns={pages.pageCount > 1 ? columns.map(({ sortBy: _, ...column }) => column) : columns}
        rows={shown}
        keyOf={(entry) => `${group}:${entry[group] ?? ""}`}
        empty={<EmptyState title="No usage in this period." />}
      />
      <Pagination {...pages} label="Usage pages" />
    </>
  );
}

function columnsOf(
  group: UsageGroup,
  total: UsageTotals,
  requestsOf: UsageTableProps["requestsOf"],
): Column<UsageEntry>[] {
  const numberColumn = (title: string, pick: (entry: UsageEntry) => number): Column<UsageEntry> => ({
    title,
    cell: (entry) => formatWhole(pick(entry)),
    sortBy: pick,
    isNumber: true,
  });
  const linkColumn = (title: string, pick: (entry: UsageEntry) => number, outcome?: string) => ({
    ...numberColumn(title, pick),
    cell: (entry: UsageEntry) => {
      const href = pick(entry) > 0 ? requestsOf(entry, outcome) : undefined;
      const text = formatWhole(pick(entry));
      return href === undefined ? text : <a href={href}>{text}</a>;
    },
  });
  // Most upstreams do not report these parts of the tokens.
  const partColumn = (title: string, sum: number, pick: (entry: UsageEntry) => number) =>
    sum > 0 ? [numberColumn(title, pick)] : [];
  return [
    {
      title: TITLES[group],
      cell: (entry) => <GroupName group={group} entry={entry} />,
      isHeader: true,
    },
    { title: "Share", cell: ({ asks }) => <Share part={asks} all={total.asks} /> },
    linkColumn("Requests", ({ asks }) => asks),
    linkColumn("Failed", ({ failed }) => failed, "failed"),
    ...refusedColumn(total),
    numberColumn("Input tokens", ({ prompt_tokens }) => prompt_tokens),
    ...partColumn("Cached input tokens", total.cached_tokens, ({ cached_tokens }) => cached_tokens),
    ...partColumn(
      "Cache creation tokens",
      total.cache_creation_tokens,
      ({ cache_creation_tokens }) => cache_creation_tokens,
    ),
    numberColumn("Output tokens", ({ completion_tokens }) => completion_tokens),
    ...partColumn("Reasoning tokens", total.reasoning_tokens, ({ reasoning_tokens }) => reasoning_tokens),
    ...partColumn("Estimated requests", total.estimated, ({ estimated }) => estimated),
    numberColumn("Without token counts", ({ uncounted }) => uncounted),
    ...mediaFactsOf(total).map(({ name, label, show }) => ({
      ...numberColumn(label, (entry) => entry[name]),
      cell: (entry: UsageEntry) => show(entry[name]),
    })),
    {
      title: "Average duration",
      cell: ({ asks, duration_ms }) => formatDuration(asks > 0 ? duration_ms / asks : undefined),
      sortBy: ({ asks, duration_ms }) => (asks > 0 ? duration_ms / asks : undefined),
      isNumber: true,
    },
  ];
}

function refusedColumn({ refused }: UsageTotals): Column<UsageEntry>[] {
  if (refused === 0) return [];
  return [
    {
      title: "Refused",
      cell: (entry) => <Hint text={formatWhole(entry.refused)} about={refusalText([entry])} />,
      sortBy: (entry) => entry.refused,
      isNumber: true,
    },
  ];
}

function GroupName({ group, entry }: { group: UsageGroup; entry: UsageEntry }) {
  const value = entry[group] ?? null;
  if (group === "user") {
    const user = value === null ? null : { user_id: value, name: entry.user_name ?? null };
    return <PrincipalLink user={user} />;
  }
  if (value === null || value === "")
    return <span class="muted">{group === "agent" ? "no agent" : "none"}</span>;
  if (group === "day") return <span>{value}</span>;
  if (group === "agent" && entry.agent_name)
    return <Name text={printable(entry.agent_name)} about={`ID ${printable(value)}`} />;
  return <Name text={printable(value)} />;
}

/**
 * A share of all requests, as a bar. Its length is an SVG attribute, because the content security policy
 * forbids inline styles.
 */
function Share({ part, all }: { part: number; all: number }) {
  const percent = all > 0 ? (100 * part) / all : 0;
  return (
    <span class="share">
      <svg class="share-bar" aria-hidden="true" focusable="false">
        <rect class="share-all" width="100%" height="100%" rx="3" />
        <rect class="share-part" width={`${percent}%`} height="100%" rx="3" />
      </svg>
      {formatShare(part, all)}
    </span>
  );
}
