import { useMemo } from "hono/jsx/dom";
import { printable } from "../../../printable.ts";
import type { UsageEntry, UsageGroup } from "../../api/types.ts";
import { EmptyState } from "../../components/card.tsx";
import { Pagination, usePagination } from "../../components/list/pagination.tsx";
import { Hint, Name } from "../../components/name.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatDuration, formatMoney, formatShare, formatWhole } from "../../format.ts";
import { type TextKey, text } from "../../texts/texts.ts";
import { trafficHref } from "../traffic/traffic-view.ts";
import { ADMIN_ID, PrincipalLink } from "../users/principal-link.tsx";
import { mediaFactsOf } from "./media-facts.ts";
import { refusalText, totalOf, type UsageTotals } from "./usage-totals.ts";

const TITLES = {
  day: "usage.table.day",
  model: "usage.table.model",
  agent: "usage.table.agent",
  user: "usage.table.user",
} as const satisfies Record<UsageGroup, TextKey>;
const CAPTIONS = {
  day: "usage.table.caption.day",
  model: "usage.table.caption.model",
  agent: "usage.table.caption.agent",
  user: "usage.table.caption.user",
} as const satisfies Record<UsageGroup, TextKey>;
const ROWS = 50;

interface UsageTableProps {
  group: UsageGroup;
  entries: readonly UsageEntry[];
  /** Null without prices. */
  currency: string | null;
  /** Returns the address of the requests that an entry counts, or of those with a result. */
  requestsOf: (entry: UsageEntry, outcome?: string) => string | undefined;
}

/**
 * Days are listed newest first, all else with most requests first. Sorting is off if there are several pages,
 * because it would sort only the page that is shown.
 */
export function UsageTable({ group, entries, currency, requestsOf }: UsageTableProps) {
  const rows = useMemo(() => (group === "day" ? entries.toReversed() : entries), [group, entries]);
  const { shown, ...pages } = usePagination(rows, ROWS, group);
  const columns = columnsOf({ group, currency, requestsOf }, totalOf(entries));
  return (
    <>
      <Table
        caption={text(CAPTIONS[group])}
        columns={pages.pageCount > 1 ? columns.map(({ sortBy: _, ...column }) => column) : columns}
        rows={shown}
        keyOf={(entry) => `${group}:${entry[group] ?? ""}`}
        empty={<EmptyState title={text("usage.table.empty")} />}
      />
      <Pagination {...pages} label={text("usage.table.pages")} />
    </>
  );
}

function columnsOf(
  { group, currency, requestsOf }: Omit<UsageTableProps, "entries">,
  total: UsageTotals,
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
      const shown = formatWhole(pick(entry));
      return href === undefined ? shown : <a href={href}>{shown}</a>;
    },
  });
  // Most upstreams do not report these parts of the tokens.
  const partColumn = (title: string, sum: number, pick: (entry: UsageEntry) => number) =>
    sum > 0 ? [numberColumn(title, pick)] : [];
  return [
    {
      title: text(TITLES[group]),
      cell: (entry) => <GroupName group={group} entry={entry} />,
      isHeader: true,
    },
    { title: text("usage.table.share"), cell: ({ asks }) => <Share part={asks} all={total.asks} /> },
    linkColumn(text("usage.table.requests"), ({ asks }) => asks),
    linkColumn(text("usage.table.failed"), ({ failed }) => failed, "failed"),
    ...costColumns(currency, total),
    ...refusedColumn(group, total),
    numberColumn(text("usage.table.inputTokens"), ({ prompt_tokens }) => prompt_tokens),
    ...partColumn(
      text("usage.table.cachedTokens"),
      total.cached_tokens,
      ({ cached_tokens }) => cached_tokens,
    ),
    ...partColumn(
      text("usage.table.cacheCreationTokens"),
      total.cache_creation_tokens,
      ({ cache_creation_tokens }) => cache_creation_tokens,
    ),
    numberColumn(text("usage.table.outputTokens"), ({ completion_tokens }) => completion_tokens),
    ...partColumn(
      text("usage.table.reasoningTokens"),
      total.reasoning_tokens,
      ({ reasoning_tokens }) => reasoning_tokens,
    ),
    ...partColumn(text("usage.table.estimated"), total.estimated, ({ estimated }) => estimated),
    ...partColumn(text("usage.table.uncounted"), total.uncounted, ({ uncounted }) => uncounted),
    ...mediaFactsOf(total).map(({ name, label, show }) => ({
      ...numberColumn(label, (entry) => entry[name]),
      cell: (entry: UsageEntry) => show(entry[name]),
    })),
    {
      title: text("usage.table.averageDuration"),
      cell: ({ asks, duration_ms }) => formatDuration(asks > 0 ? duration_ms / asks : undefined),
      sortBy: ({ asks, duration_ms }) => (asks > 0 ? duration_ms / asks : undefined),
      isNumber: true,
    },
  ];
}

/** Without prices there is nothing to show. */
function costColumns(currency: string | null, total: UsageTotals): Column<UsageEntry>[] {
  if (currency === null) return [];
  return [
    {
      title: text("usage.table.cost"),
      cell: ({ cost }) => formatMoney(cost, currency),
      sortBy: ({ cost }) => cost,
      isNumber: true,
    },
    ...(total.unpriced > 0
      ? [
          {
            title: text("usage.table.unpriced"),
            cell: ({ unpriced }: UsageEntry) => formatWhole(unpriced),
            sortBy: ({ unpriced }: UsageEntry) => unpriced,
            isNumber: true,
          },
        ]
      : []),
  ];
}

/** Refused requests have no rows: those of a user lead to when and where they were refused. */
function refusedColumn(group: UsageGroup, { refused }: UsageTotals): Column<UsageEntry>[] {
  if (refused === 0) return [];
  return [
    {
      title: text("usage.table.refusedTitle"),
      cell: (entry) => {
        const shown = <Hint text={formatWhole(entry.refused)} about={refusalText([entry])} />;
        if (group !== "user" || entry.refused === 0) return shown;
        const only = { user: entry.user ?? ADMIN_ID };
        return <a href={trafficHref({ period: "30d", by: "surface", only })}>{shown}</a>;
      },
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
    return <span class="muted">{text(group === "agent" ? "usage.table.noAgent" : "usage.table.none")}</span>;
  if (group === "day") return <span>{value}</span>;
  if (group === "agent" && entry.agent_name)
    return (
      <Name text={printable(entry.agent_name)} about={text("usage.table.id", { id: printable(value) })} />
    );
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
