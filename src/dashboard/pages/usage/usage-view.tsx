import { useState } from "hono/jsx/dom";
import type { UsageQuery } from "../../api/api.ts";
import type { Usage, UsageEntry, UsageGroup } from "../../api/types.ts";
import { LinkButton } from "../../components/button.tsx";
import { Card, EmptyState, Notice, Tile, Tiles } from "../../components/card.tsx";
import { Chart } from "../../components/chart.tsx";
import { Field, Select } from "../../components/field.tsx";
import { SegmentedControl } from "../../components/segmented-control.tsx";
import { formatDuration, formatShare, formatShort } from "../../format.ts";
import { useFetch } from "../../state/use-fetch.ts";
import { UsageTable } from "./usage-table.tsx";
import { fillDays, lastDays, totalOf } from "./usage-totals.ts";

export interface UsageSource {
  /** What it is asked of: a change of it asks again. */
  key: string;
  ask(query: UsageQuery, signal: AbortSignal): Promise<Usage>;
  /** Of the same as CSV. */
  csvPath(query: UsageQuery): string;
  groups: readonly UsageGroup[];
}

const GROUPS: Record<UsageGroup, string> = {
  day: "By day",
  model: "By model",
  agent: "By agent",
  user: "By user",
};
const ENTRIES_MAX = 10_000;

type Period = "7" | "30" | "90" | "365" | "own";

const PERIODS: readonly { value: Period; label: string }[] = [
  { value: "7", label: "Last 7 days" },
  { value: "30", label: "Last 30 days" },
  { value: "90", label: "Last 90 days" },
  { value: "365", label: "Last 365 days" },
  { value: "own", label: "From … to …" },
];

/** What was used, by day as charts, and by what one chooses as a table and as CSV. */
export function UsageView({ source }: { source: UsageSource }) {
  const [period, setPeriod] = useState<Period>("30");
  const [dates, setDates] = useState(() => lastDays(30, Date.now()));
  const choose = (value: Period) => {
    setPeriod(value);
    if (value !== "own") setDates(lastDays(Number(value), Date.now()));
  };
  return (
    <>
      <div class="row usage-filter">
        <Select
          label="Period"
          name="period"
          value={period}
          options={PERIODS}
          onInput={(v) => choose(v as Period)}
        />
        {period === "own" ? <Dates {...dates} onChange={setDates} /> : null}
      </div>
      {dates.from > dates.to ? (
        <Notice tone="warn">The period ends before it begins.</Notice>
      ) : (
        <Used source={source} dates={dates} />
      )}
    </>
  );
}

function Used({ source, dates }: { source: UsageSource; dates: { from: string; to: string } }) {
  const query = { ...dates, limit: ENTRIES_MAX };
  const { value, error } = useFetch(
    (signal) => source.ask({ ...query, by: ["day"] }, signal),
    [source.key, dates.from, dates.to],
  );
  return (
    <>
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value?.usage.length === 0 ? <NothingUsed /> : null}
      {value && value.usage.length > 0 ? (
        <>
          <Days usage={value} />
          <Figures source={source} query={query} />
        </>
      ) : null}
    </>
  );
}

function NothingUsed() {
  return (
    <Card>
      <EmptyState title="No ask in this period.">
        <p>Every ask that is answered, or fails, is counted here a moment later.</p>
      </EmptyState>
    </Card>
  );
}

function Figures({ source, query }: { source: UsageSource; query: Omit<UsageQuery, "by"> }) {
  const [group, setGroup] = useState<UsageGroup>(source.groups[0] ?? "day");
  const { value, error } = useFetch(
    (signal) => source.ask({ ...query, by: [group] }, signal),
    [source.key, query.from, query.to, group],
  );
  return (
    <Card
      title="In figures"
      isFlush
      actions={
        <>
          <SegmentedControl
            label="Figures by"
            value={group}
            options={source.groups.map((one) => ({ value: one, label: GROUPS[one] }))}
            onChoose={setGroup}
          />
          <LinkButton isSmall href={source.csvPath({ ...query, by: [group] })} download>
            CSV
          </LinkButton>
        </>
      }
    >
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {value?.truncated ? (
        <Notice tone="warn">There is more than these {ENTRIES_MAX} entries: choose a shorter period.</Notice>
      ) : null}
      {value?.by[0] === group ? <UsageTable group={group} entries={value.usage} /> : null}
    </Card>
  );
}

interface DatesProps {
  from: string;
  to: string;
  onChange: (dates: { from: string; to: string }) => void;
}

/** A field that is being typed in is empty meanwhile, and asks for nothing. */
function Dates({ from, to, onChange }: DatesProps) {
  return (
    <>
      <Field
        label="From (UTC)"
        name="from"
        type="date"
        value={from}
        onInput={(value) => value && onChange({ from: value, to })}
      />
      <Field
        label="To, with all of the day"
        name="to"
        type="date"
        value={to}
        onInput={(value) => value && onChange({ from, to: value })}
      />
    </>
  );
}

function Days({ usage: { from, to, usage } }: { usage: Usage }) {
  const days = fillDays(from, to, usage);
  const xs = days.map((_, index) => index);
  const xLabel = (index: number) => days[index]?.day ?? "";
  const of = (pick: (entry: Omit<UsageEntry, "day">) => number) => days.map(pick);
  const common = { xs, xLabel, format: formatShort, isBars: true };
  return (
    <>
      <UsageTotals entries={usage} />
      <div class="grid-2">
        <Card>
          <Chart
            {...common}
            title="Asks a day"
            series={[
              { label: "all", color: "accent", values: of(({ asks }) => asks) },
              { label: "of them failed", color: "bad", values: of(({ failed }) => failed) },
            ]}
          />
        </Card>
        <Card>
          <Chart
            {...common}
            title="Tokens a day"
            series={[
              {
                label: "all",
                color: "accent",
                values: of(({ prompt_tokens, completion_tokens }) => prompt_tokens + completion_tokens),
              },
              {
                label: "of them written",
                color: "ok",
                values: of(({ completion_tokens }) => completion_tokens),
              },
            ]}
          />
        </Card>
      </div>
    </>
  );
}

function UsageTotals({ entries }: { entries: readonly UsageEntry[] }) {
  const { asks, failed, prompt_tokens, completion_tokens, uncounted, duration_ms } = totalOf(entries);
  return (
    <Tiles>
      <Tile
        label="Asks"
        value={formatShort(asks)}
        note={`${formatDuration(duration_ms / asks)} each, on average`}
      />
      <Tile
        label="Failed"
        value={formatShort(failed)}
        note={`${formatShare(failed, asks)} of the asks`}
        tone={failed > 0 ? "bad" : "plain"}
      />
      <Tile label="Tokens read" value={formatShort(prompt_tokens)} />
      <Tile
        label="Tokens written"
        value={formatShort(completion_tokens)}
        note={uncounted > 0 ? `${formatShort(uncounted)} asks were not counted` : undefined}
      />
    </Tiles>
  );
}
