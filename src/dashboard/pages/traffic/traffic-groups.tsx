import { printable } from "../../../printable.ts";
import type { TrafficAnswer } from "../../api/types.ts";
import { Card, EmptyState } from "../../components/card.tsx";
import { Hint, Name } from "../../components/name.tsx";
import { SegmentedControl } from "../../components/segmented-control.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatDuration, formatMoney, formatNumber, formatShare, formatWhole } from "../../format.ts";
import { replaceHref } from "../../state/use-address.ts";
import { text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { unpricedNote } from "../usage/total-tiles.tsx";
import { refusalText } from "../usage/usage-totals.ts";
import { ADMIN_ID, ADMIN_LABEL } from "../users/principal-link.tsx";
import { GROUP_NAMES, GROUPS, requestParams, type TrafficView, trafficHref } from "./traffic-view.ts";

type Group = NonNullable<TrafficAnswer["groups"]>[number];

/** The totals by agent, model, user or endpoint. Each leads to its own charts, and to its requests. */
export function TrafficGroups(props: {
  view: TrafficView;
  groups: readonly Group[];
  currency: string | null;
}) {
  const { view, groups, currency } = props;
  return (
    <Card
      title={text("traffic.compare")}
      isFlush
      actions={
        <SegmentedControl
          label={text("traffic.compare")}
          value={view.by}
          options={GROUP_NAMES.map((group) => ({ value: group, label: GROUPS[group].label }))}
          onChoose={(by) => replaceHref(trafficHref({ ...view, by }))}
        />
      }
    >
      <Table
        key={view.by}
        caption={text(`traffic.caption.${view.by}`)}
        columns={[...columnsOf(view, groups), ...costColumn(currency)]}
        rows={groups}
        keyOf={({ name }) => name}
        empty={<EmptyState title={text("traffic.none")} />}
      />
    </Card>
  );
}

function columnsOf(view: TrafficView, groups: readonly Group[]): Column<Group>[] {
  const { by, period, only } = view;
  const requestsOf = (group: Group, shown: string, outcome?: string) => {
    // The group of all others has no name.
    if (group.name === "") return shown;
    const params = requestParams({ period, only: { ...only, [by]: group.name } });
    const reasons = outcome === undefined ? "" : refusalText([{ refusals: group.errors }]);
    return (
      <a href={requestsHref({ ...params, outcome })} title={reasons || undefined}>
        {shown}
      </a>
    );
  };
  const time = (title: string, pick: (group: Group) => number | null, isMinor = false): Column<Group> => ({
    ...{ title, cell: (group) => formatDuration(pick(group)), sortBy: pick, isNumber: true, isMinor },
  });
  return [
    { title: GROUPS[by].one, cell: (group) => <GroupName view={view} group={group} />, isHeader: true },
    {
      title: text("traffic.requests"),
      cell: (group) => requestsOf(group, formatWhole(group.asks)),
      sortBy: ({ asks }) => asks,
      isNumber: true,
    },
    {
      title: text("traffic.failed"),
      cell: (group) => requestsOf(group, formatWhole(group.failed), "failed"),
      sortBy: ({ failed }) => failed,
      isNumber: true,
    },
    {
      title: text("traffic.failureRate"),
      cell: ({ asks, failed }) => formatShare(failed, asks),
      sortBy: ({ asks, failed }) => failed / asks,
      isNumber: true,
    },
    ...refusedColumn(groups),
    time(text("traffic.column.queued"), ({ queue_ms_p50 }) => queue_ms_p50, true),
    time(text("traffic.column.queued95"), ({ queue_ms_p95 }) => queue_ms_p95, true),
    time(text("traffic.column.firstByte"), ({ first_byte_ms_p50 }) => first_byte_ms_p50),
    time(text("traffic.column.firstByte95"), ({ first_byte_ms_p95 }) => first_byte_ms_p95),
    time(text("traffic.duration"), ({ duration_ms_p50 }) => duration_ms_p50),
    time(text("traffic.column.duration95"), ({ duration_ms_p95 }) => duration_ms_p95),
    {
      title: text("models.column.tokens"),
      cell: ({ tokens_per_second }) => formatNumber(tokens_per_second),
      sortBy: ({ tokens_per_second }) => tokens_per_second,
      isNumber: true,
    },
    {
      title: text("traffic.tokens"),
      cell: ({ prompt_tokens, completion_tokens }) => formatWhole(prompt_tokens + completion_tokens),
      sortBy: ({ prompt_tokens, completion_tokens }) => prompt_tokens + completion_tokens,
      isNumber: true,
    },
  ];
}

/** Returns a cost; null if no request had a price. */
export const costOf = ({ cost, unpriced }: Pick<Group, "cost" | "unpriced">): number | null =>
  cost === 0 && unpriced > 0 ? null : cost;

/** Without prices there is nothing to show. */
function costColumn(currency: string | null): Column<Group>[] {
  if (currency === null) return [];
  return [
    {
      title: text("traffic.cost"),
      cell: (group) => (
        <Hint text={formatMoney(costOf(group), currency)} about={unpricedNote(group.unpriced) ?? ""} />
      ),
      sortBy: ({ cost }) => cost,
      isNumber: true,
    },
  ];
}

/** Refused requests have no rows, so these numbers lead nowhere. */
function refusedColumn(groups: readonly Group[]): Column<Group>[] {
  if (!groups.some(({ refused }) => refused)) return [];
  return [
    {
      title: text("traffic.refused"),
      cell: (group) => <Hint text={formatWhole(group.refused ?? 0)} about={refusalText([group])} />,
      sortBy: ({ refused }) => refused,
      isNumber: true,
    },
  ];
}

function GroupName({ view, group: { name, label } }: { view: TrafficView; group: Group }) {
  if (name === "") return <span class="muted">{text("traffic.otherGroups")}</span>;
  const shown = view.by === "user" && name === ADMIN_ID ? ADMIN_LABEL : label || name;
  return (
    <Name text={printable(shown)} {...(shown !== name && { about: name })}>
      <a href={trafficHref({ ...view, only: { ...view.only, [view.by]: name } })}>{printable(shown)}</a>
    </Name>
  );
}
