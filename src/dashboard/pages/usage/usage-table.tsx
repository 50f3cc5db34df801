import { useMemo } from "hono/jsx/dom";
import { api } from "../../api/api.ts";
import type { UsageEntry, UsageGroup, User } from "../../api/types.ts";
import { EmptyState } from "../../components/card.tsx";
import { Pagination, usePagination } from "../../components/pagination.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatDuration, formatShare, formatWhole } from "../../format.ts";
import { hrefOf } from "../../state/route.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { labelOf } from "../users/user-filter.ts";
import { totalOf } from "./usage-totals.ts";

const TITLES: Record<UsageGroup, string> = { day: "Day (UTC)", model: "Model", agent: "Agent", user: "User" };
const ROWS = 50;

interface UsageTableProps {
  group: UsageGroup;
  entries: readonly UsageEntry[];
}

/** The newest day first, and of all else what was asked most. A list of many pages is not sorted anew, a page at a time. */
export function UsageTable({ group, entries }: UsageTableProps) {
  const names = useUserNames(group === "user");
  const rows = useMemo(() => (group === "day" ? entries.toReversed() : entries), [group, entries]);
  const { shown, ...pages } = usePagination(rows, ROWS, group);
  const columns = columnsOf(group, totalOf(entries).asks, names);
  return (
    <>
      <Table
        caption={`Usage ${TITLES[group]}`}
        columns={pages.pageCount > 1 ? columns.map(({ sortBy: _, ...column }) => column) : columns}
        rows={shown}
        keyOf={(entry) => `${group}:${entry[group] ?? ""}`}
        empty={<EmptyState title="Nothing was used in this period." />}
      />
      <Pagination {...pages} label="Pages of the figures" />
    </>
  );
}

/** Users have names that the usage does not know; without them the ids do. */
function useUserNames(isNeeded: boolean): ReadonlyMap<string, User> {
  const { value } = useFetch(
    (signal) => (isNeeded ? api.users(signal) : Promise.resolve<User[]>([])),
    [isNeeded],
  );
  return useMemo(() => new Map((value ?? []).map((user) => [user.user_id, user])), [value]);
}

function columnsOf(group: UsageGroup, all: number, names: ReadonlyMap<string, User>): Column<UsageEntry>[] {
  const figure = (title: string, pick: (entry: UsageEntry) => number): Column<UsageEntry> => ({
    title,
    cell: (entry) => formatWhole(pick(entry)),
    sortBy: pick,
    isNumber: true,
  });
  return [
    {
      title: TITLES[group],
      cell: (entry) => <Name group={group} entry={entry} names={names} />,
      isHeader: true,
    },
    { title: "Share", cell: ({ asks }) => <Share part={asks} all={all} /> },
    figure("Asks", ({ asks }) => asks),
    figure("Failed", ({ failed }) => failed),
    figure("Tokens read", ({ prompt_tokens }) => prompt_tokens),
    figure("Tokens written", ({ completion_tokens }) => completion_tokens),
    figure("Not counted", ({ uncounted }) => uncounted),
    {
      title: "Each took",
      cell: ({ asks, duration_ms }) => formatDuration(duration_ms / asks),
      sortBy: ({ asks, duration_ms }) => duration_ms / asks,
      isNumber: true,
    },
  ];
}

interface NameProps {
  group: UsageGroup;
  entry: UsageEntry;
  names: ReadonlyMap<string, User>;
}

function Name({ group, entry, names }: NameProps) {
  const name = entry[group] ?? null;
  if (group === "user") {
    if (name === null) return <a href={hrefOf("usage", "", { user: "admin" })}>admin key</a>;
    const user = names.get(name);
    return <a href={hrefOf("users", name)}>{labelOf(user ?? { user_id: name, name: null })}</a>;
  }
  if (name === null || name === "")
    return <span class="muted">{group === "agent" ? "no agent" : "none"}</span>;
  return group === "day" ? <span>{name}</span> : <span class="usage-name">{name}</span>;
}

/** Of all asks, as a bar: its length is an attribute, as the page's policy forbids styles of elements. */
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
