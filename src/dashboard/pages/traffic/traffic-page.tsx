import { printable } from "../../../printable.ts";
import { api } from "../../api/api.ts";
import type { TrafficAnswer } from "../../api/types.ts";
import { Card, EmptyState, Notice, Tile, Tiles } from "../../components/card.tsx";
import { Select } from "../../components/field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { formatDuration, formatShare, formatShort } from "../../format.ts";
import { PERIODS, type PeriodName } from "../../state/period.ts";
import { replaceHref } from "../../state/query.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { usePoll } from "../../state/use-poll.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { TrafficCharts } from "./traffic-charts.tsx";
import { TrafficErrors } from "./traffic-errors.tsx";
import { TrafficGroups } from "./traffic-groups.tsx";
import {
  GROUPS,
  readTrafficView,
  requestParams,
  type TrafficView,
  trafficHref,
  trafficQuery,
} from "./traffic-view.ts";

const RELOAD_EVERY_MS = 15_000;

/** Requests, failures, tokens and durations over time: of everything, or of one agent, model, user or endpoint. */
export function TrafficPage({ query }: { query: URLSearchParams }) {
  const view = readTrafficView(query);
  const { value, error, reload } = useFetch(
    (signal) => api.traffic(trafficQuery(view, Date.now()), signal),
    [JSON.stringify(view)],
  );
  usePoll(reload, RELOAD_EVERY_MS);
  return (
    <>
      <PageHeader title="Traffic" lead="How many requests ended when, how, and how fast they were." />
      <div class="row usage-filter">
        <Select
          label="Period"
          name="period"
          value={view.period}
          options={PERIODS}
          onInput={(period) => replaceHref(trafficHref({ ...view, period: period as PeriodName }))}
        />
        {view.only ? <OnlyChip view={view} traffic={value} /> : null}
      </div>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value ? <TrafficOf view={view} traffic={value} /> : null}
    </>
  );
}

function OnlyChip({ view, traffic }: { view: TrafficView; traffic: TrafficAnswer | undefined }) {
  const { group, name } = view.only ?? { group: "agent", name: "" };
  const label = view.by === group ? traffic?.groups?.find((one) => one.name === name)?.label : undefined;
  return (
    <a class="chip" href={trafficHref({ ...view, only: undefined })}>
      {GROUPS[group].one}: <b>{printable(label || name)}</b> <span aria-hidden="true">✕</span>
      <span class="off-screen">(remove)</span>
    </a>
  );
}

function TrafficOf({ view, traffic }: { view: TrafficView; traffic: TrafficAnswer }) {
  return (
    <>
      {traffic.total.asks > 0 ? (
        <>
          <Totals view={view} total={traffic.total} />
          <TrafficCharts traffic={traffic} />
          <TrafficErrors view={view} errors={traffic.total.errors} />
        </>
      ) : (
        <Card>
          <EmptyState title="No request has ended in this period." />
        </Card>
      )}
      <TrafficGroups view={view} groups={traffic.groups ?? []} />
    </>
  );
}

function Totals({ view, total }: { view: TrafficView; total: TrafficAnswer["total"] }) {
  const { asks, failed, prompt_tokens, completion_tokens } = total;
  const link = (text: string, outcome?: string) => (
    <a href={requestsHref({ ...requestParams(view), outcome })}>{text}</a>
  );
  return (
    <Tiles>
      <Tile label="Requests" value={link(formatShort(asks))} />
      <Tile
        label="Failed"
        value={link(formatShort(failed), "failed")}
        note={`${formatShare(failed, asks)} of all requests`}
        tone={failed > 0 ? "bad" : "plain"}
      />
      <Tile
        label="Time to first byte"
        value={formatDuration(total.first_byte_ms_p50)}
        note={`95% within ${formatDuration(total.first_byte_ms_p95)}`}
      />
      <Tile
        label="Duration"
        value={formatDuration(total.duration_ms_p50)}
        note={`95% within ${formatDuration(total.duration_ms_p95)}`}
      />
      <Tile
        label="In the queue"
        value={formatDuration(total.queue_ms_p50)}
        note={`95% within ${formatDuration(total.queue_ms_p95)}`}
      />
      <Tile
        label="Tokens"
        value={formatShort(prompt_tokens + completion_tokens)}
        note={`${formatShort(completion_tokens)} of them output`}
      />
    </Tiles>
  );
}
