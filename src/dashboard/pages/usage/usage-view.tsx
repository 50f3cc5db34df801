import type { UsageQuery } from "../../api/api.ts";
import type { UsageAnswer, UsageEntry, UsageGroup } from "../../api/types.ts";
import { LinkButton } from "../../components/button.tsx";
import { Card, EmptyState, Notice } from "../../components/card.tsx";
import { Chart, CostChart } from "../../components/chart.tsx";
import { Field, Select } from "../../components/field.tsx";
import { SegmentedControl } from "../../components/segmented-control.tsx";
import { formatShort, formatWhole } from "../../format.ts";
import { hrefOf } from "../../state/route.ts";
import { type AddressValues, useAddress } from "../../state/use-address.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { richText, type TextKey, text } from "../../texts/texts.ts";
import { requestsHref } from "../requests/request-filter.ts";
import { ADMIN_ID } from "../users/principal-link.tsx";
import { type RequestsOf, TotalTiles } from "./total-tiles.tsx";
import { UsageTable } from "./usage-table.tsx";
import { fillDays, lastDays, type UsageTotals } from "./usage-totals.ts";

export interface UsageSource {
  /** Identifies the source. A new key loads the usage again. */
  key: string;
  load(query: UsageQuery, signal: AbortSignal): Promise<UsageAnswer>;
  /** Returns the address of the same usage as CSV. */
  csvPath(query: UsageQuery): string;
  groups: readonly UsageGroup[];
  /** The only user whose usage it is; undefined for everyone, and for the user who is signed in. */
  user?: string | undefined;
}

const GROUPS = {
  day: "usage.byDay",
  model: "usage.byModel",
  agent: "usage.byAgent",
  user: "usage.byUser",
} as const satisfies Record<UsageGroup, TextKey>;
const ENTRIES_MAX = 10_000;

type Period = "7" | "30" | "90" | "365" | "custom";

const PERIODS: readonly { value: Period; label: string }[] = [
  { value: "7", label: text("usage.period.7") },
  { value: "30", label: text("usage.period.30") },
  { value: "90", label: text("usage.period.90") },
  { value: "365", label: text("usage.period.365") },
  { value: "custom", label: text("usage.period.custom") },
];

/** The usage of a period: charts by day, and a table and CSV by a chosen group. */
export function UsageView({ source }: { source: UsageSource }) {
  const address = useAddress();
  const period = PERIODS.find(({ value }) => value === address.get("period"))?.value ?? "30";
  const dates = datesOf(period, address);
  const choose = (value: Period) =>
    address.change(
      value === "custom"
        ? { period: value, ...dates }
        : { period: value === "30" ? undefined : value, from: undefined, to: undefined },
    );
  return (
    <>
      <div class="row usage-filter">
        <Select
          label={text("usage.period")}
          name="period"
          value={period}
          options={PERIODS}
          onInput={(v) => choose(v as Period)}
        />
        {period === "custom" ? <Dates {...dates} onChange={(next) => address.change(next)} /> : null}
      </div>
      {dates.from > dates.to ? (
        <Notice tone="warn">{text("usage.periodInvalid")}</Notice>
      ) : (
        <PeriodUsage source={source} dates={dates} />
      )}
    </>
  );
}

/** Returns the first and the last day of the period. */
function datesOf(period: Period, { get }: AddressValues): { from: string; to: string } {
  const known = lastDays(period === "custom" ? 30 : Number(period), Date.now());
  if (period !== "custom") return known;
  return { from: dayOf(get("from")) ?? known.from, to: dayOf(get("to")) ?? known.to };
}

const dayOf = (text: string | undefined) => (/^\d{4}-\d\d-\d\d$/.test(text ?? "") ? text : undefined);

function PeriodUsage({ source, dates }: { source: UsageSource; dates: { from: string; to: string } }) {
  const query = { ...dates, limit: ENTRIES_MAX };
  const { value, error } = useFetch(
    (signal) => source.load({ ...query, by: ["day"] }, signal),
    [source.key, dates.from, dates.to],
  );
  return (
    <>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value?.warning ? <Notice tone="warn">{value.warning}</Notice> : null}
      {value?.usage.length === 0 ? <NoUsage /> : null}
      {value && value.usage.length > 0 ? (
        <>
          <DailyCharts
            usage={value}
            requestsOf={(outcome) => requestsHref({ ...dates, user: source.user, outcome })}
          />
          <Details source={source} query={query} />
        </>
      ) : null}
    </>
  );
}

function NoUsage() {
  return (
    <Card>
      <EmptyState title={text("usage.empty")}>
        <p>
          {richText("usage.empty.hint", {
            try: <a href={hrefOf("try")}>{text("usage.empty.try")}</a>,
            connect: <a href={hrefOf("connect")}>{text("usage.empty.connect")}</a>,
          })}
        </p>
      </EmptyState>
    </Card>
  );
}

function Details({ source, query }: { source: UsageSource; query: Omit<UsageQuery, "by"> }) {
  const address = useAddress();
  const group = source.groups.find((one) => one === address.get("by")) ?? source.groups[0] ?? "day";
  const { value, error } = useFetch(
    (signal) => source.load({ ...query, by: [group] }, signal),
    [source.key, query.from, query.to, group],
  );
  return (
    <Card
      title={text("usage.details")}
      isFlush
      actions={
        <>
          <SegmentedControl
            label={text("usage.groupBy")}
            value={group}
            options={source.groups.map((one) => ({ value: one, label: text(GROUPS[one]) }))}
            onChoose={(by) => address.change({ by: by === source.groups[0] ? undefined : by })}
          />
          <LinkButton isSmall href={source.csvPath({ ...query, by: [group] })} download>
            {text("usage.csv")}
          </LinkButton>
        </>
      }
    >
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value?.truncated ? (
        <Notice tone="warn">{text("usage.truncated", { count: formatWhole(ENTRIES_MAX) })}</Notice>
      ) : null}
      {value?.by[0] === group ? (
        <UsageTable
          group={group}
          entries={value.usage}
          currency={value.currency}
          requestsOf={(entry, outcome) => requestsOf(group, entry, { ...query, user: source.user }, outcome)}
        />
      ) : null}
    </Card>
  );
}

/** Returns the address of the requests that an entry counts. Those without an agent or a model cannot be chosen. */
function requestsOf(
  group: UsageGroup,
  entry: UsageEntry,
  { from, to, user }: { from?: string; to?: string; user?: string | undefined },
  outcome: string | undefined,
): string | undefined {
  const name = group === "user" ? (entry.user ?? ADMIN_ID) : entry[group];
  if (!name) return undefined;
  if (group === "day") return requestsHref({ from: name, to: name, user, outcome });
  return requestsHref({ from, to, user, [group]: name, outcome });
}

interface DatesProps {
  from: string;
  to: string;
  onChange: (dates: { from: string; to: string }) => void;
}

/** Two date fields. A field is empty while a date is being typed, and then changes nothing. */
function Dates({ from, to, onChange }: DatesProps) {
  return (
    <>
      <Field
        label={text("usage.from")}
        name="from"
        type="date"
        value={from}
        onInput={(value) => value && onChange({ from: value, to })}
      />
      <Field
        label={text("usage.to")}
        name="to"
        type="date"
        value={to}
        onInput={(value) => value && onChange({ from, to: value })}
      />
    </>
  );
}

function DailyCharts({
  usage: { from, to, currency, usage },
  requestsOf,
}: {
  usage: UsageAnswer;
  requestsOf: RequestsOf;
}) {
  const days = fillDays(from, to, usage);
  const xs = days.map((_, index) => index);
  const xLabel = (index: number) => days[index]?.day ?? "";
  const valuesOf = (pick: (entry: UsageTotals) => number) => days.map(pick);
  const common = { xs, xLabel, format: formatShort, isBars: true };
  return (
    <>
      <TotalTiles entries={usage} currency={currency} requestsOf={requestsOf} />
      <div class="grid-2">
        <Card>
          <Chart
            {...common}
            title={text("usage.chart.requests")}
            series={[
              { label: text("usage.chart.all"), color: "accent", values: valuesOf(({ asks }) => asks) },
              { label: text("usage.chart.failed"), color: "bad", values: valuesOf(({ failed }) => failed) },
            ]}
          />
        </Card>
        <Card>
          <Chart
            {...common}
            title={text("usage.chart.tokens")}
            series={[
              {
                label: text("usage.chart.all"),
                color: "accent",
                values: valuesOf(({ prompt_tokens, completion_tokens }) => prompt_tokens + completion_tokens),
              },
              {
                label: text("usage.chart.output"),
                color: "ok",
                values: valuesOf(({ completion_tokens }) => completion_tokens),
              },
            ]}
          />
        </Card>
        {currency === null ? null : (
          <Card>
            <CostChart
              {...common}
              currency={currency}
              title={text("usage.chart.cost")}
              values={valuesOf(({ cost }) => cost ?? 0)}
            />
          </Card>
        )}
      </div>
    </>
  );
}
