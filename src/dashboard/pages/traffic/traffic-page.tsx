import { api } from "../../api/api.ts";
import type { TrafficAnswer, TrafficGroup } from "../../api/types.ts";
import { Card, EmptyState, Notice, Tile, Tiles } from "../../components/card.tsx";
import { Select } from "../../components/field.tsx";
import { FilterChip } from "../../components/list/filter-chip.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { formatDuration, formatShare, formatShort, formatShortMoney, formatTime } from "../../format.ts";
import { PERIODS, type PeriodName } from "../../state/period.ts";
import { replaceHref } from "../../state/use-address.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { usePoll } from "../../state/use-poll.ts";
import { text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { unpricedNote } from "../usage/total-tiles.tsx";
import { TrafficCharts } from "./traffic-charts.tsx";
import { TrafficErrors } from "./traffic-errors.tsx";
import { costOf, TrafficGroups } from "./traffic-groups.tsx";
import { TrafficRefusals } from "./traffic-refusals.tsx";
import {
  GROUP_NAMES,
  GROUPS,
  readTrafficView,
  requestParams,
  type TrafficView,
  trafficHref,
  trafficQuery,
} from "./traffic-view.ts";

const RELOAD_EVERY_MS = 15_000;
/** With filters, the numbers are counted from the requests themselves, which takes longer. */
const RELOAD_FILTERED_EVERY_MS = 60_000;

/** Requests, failures, tokens, costs and durations over time: of everything, or of one agent, model, user or endpoint. */
export function TrafficPage({ query }: { query: URLSearchParams }) {
  const view = readTrafficView(query);
  const { value, error, reload } = useFetch(
    (signal) => api.traffic(trafficQuery(view, Date.now()), signal),
    [JSON.stringify(view)],
  );
  const chosen = GROUP_NAMES.filter((group) => view.only[group] !== undefined);
  usePoll(reload, chosen.length > 0 ? RELOAD_FILTERED_EVERY_MS : RELOAD_EVERY_MS);
  return (
    <>
      <PageHeader title={text("traffic.title")} lead={text("traffic.lead")} />
      <div class="row usage-filter">
        <Select
          label={text("traffic.period")}
          name="period"
          value={view.period}
          options={PERIODS}
          onInput={(period) => replaceHref(trafficHref({ ...view, period: period as PeriodName }))}
        />
        {chosen.map((group) => (
          <OnlyChip key={group} group={group} view={view} traffic={value} />
        ))}
      </div>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value ? <TrafficOf view={view} traffic={value} /> : null}
    </>
  );
}

function OnlyChip({
  group,
  view,
  traffic,
}: {
  group: TrafficGroup;
  view: TrafficView;
  traffic: TrafficAnswer | undefined;
}) {
  const name = view.only[group] ?? "";
  const label = view.by === group ? traffic?.groups?.find((one) => one.name === name)?.label : undefined;
  return (
    <FilterChip
      filter={GROUPS[group].one}
      value={label || name}
      href={trafficHref({ ...view, only: { ...view.only, [group]: undefined } })}
    />
  );
}

function TrafficOf({ view, traffic }: { view: TrafficView; traffic: TrafficAnswer }) {
  return (
    <>
      {traffic.counted_from === null ? null : (
        <Notice tone="warn">{text("traffic.countedFrom", { time: formatTime(traffic.counted_from) })}</Notice>
      )}
      {traffic.total.asks > 0 || (traffic.total.refused ?? 0) > 0 ? (
        <>
          <Totals view={view} traffic={traffic} />
          <TrafficCharts traffic={traffic} />
          <TrafficErrors view={view} errors={traffic.total.errors} />
          <TrafficRefusals view={view} total={traffic.total} />
          <TrafficGroups view={view} groups={traffic.groups ?? []} currency={traffic.currency} />
        </>
      ) : (
        <Card>
          <EmptyState title={text("traffic.none")}>
            <p>{text("traffic.none.next")}</p>
          </EmptyState>
        </Card>
      )}
    </>
  );
}

function Totals({ view, traffic }: { view: TrafficView; traffic: TrafficAnswer }) {
  const { total, currency } = traffic;
  const { asks, failed, prompt_tokens, completion_tokens, unpriced } = total;
  const link = (shown: string, outcome?: string) => (
    <a href={requestsHref({ ...requestParams(view), outcome })}>{shown}</a>
  );
  return (
    <Tiles>
      <Tile label={text("traffic.requests")} value={link(formatShort(asks))} />
      <Tile
        label={text("traffic.failed")}
        value={link(formatShort(failed), "failed")}
        note={text("traffic.failed.share", { share: formatShare(failed, asks) })}
        tone={failed > 0 ? "bad" : "plain"}
      />
      <Tile
        label={text("traffic.refused")}
        value={total.refused === null ? "–" : formatShort(total.refused)}
        note={total.refused === null ? text("traffic.refused.unknown") : text("traffic.refused.note")}
        tone={(total.refused ?? 0) > 0 ? "warn" : "plain"}
      />
      <Tile
        label={text("traffic.firstByte")}
        value={formatDuration(total.first_byte_ms_p50)}
        note={text("traffic.within95", { time: formatDuration(total.first_byte_ms_p95) })}
      />
      <Tile
        label={text("traffic.duration")}
        value={formatDuration(total.duration_ms_p50)}
        note={text("traffic.within95", { time: formatDuration(total.duration_ms_p95) })}
      />
      <Tile
        label={text("traffic.queued")}
        value={formatDuration(total.queue_ms_p50)}
        note={text("traffic.within95", { time: formatDuration(total.queue_ms_p95) })}
      />
      <Tile
        label={text("traffic.tokens")}
        value={formatShort(prompt_tokens + completion_tokens)}
        note={text("traffic.tokens.output", { count: formatShort(completion_tokens) })}
      />
      {currency === null ? null : (
        <Tile
          label={text("traffic.cost")}
          value={formatShortMoney(costOf(total), currency)}
          note={unpricedNote(unpriced)}
          tone={unpriced > 0 ? "warn" : "plain"}
        />
      )}
    </Tiles>
  );
}
