import { useMemo } from "hono/jsx/dom";
import type { TrafficAnswer } from "../../api/types.ts";
import { Card } from "../../components/card.tsx";
import { Chart, type ChartSeries, type Color } from "../../components/chart.tsx";
import { formatDuration, formatShort, formatTime } from "../../format.ts";

const DAY_MS = 86_400_000;
const COLORS = ["bad", "warn", "accent", "ok"] as const;

type Steps = TrafficAnswer["steps"];
type Durations = "queue_ms" | "first_byte_ms" | "duration_ms";

/** The course of each number over the period. */
export function TrafficCharts({ traffic }: { traffic: TrafficAnswer }) {
  const { xs, series } = useMemo(() => chartsOf(traffic), [traffic]);
  const isLong = Date.parse(traffic.to) - Date.parse(traffic.from) > DAY_MS + 2 * traffic.every_ms;
  const common = { xs, ...(isLong && { xLabel: (x: number) => formatTime(x * 1000).slice("2026-".length) }) };
  const step = stepName(traffic.every_ms);
  const counts = { ...common, format: formatShort };
  const times = { ...common, format: formatDuration, spanGaps: true, hasPoints: true, yMaxAtLeast: 10 };
  return (
    <div key={String(isLong)} class="grid-2">
      <Card>
        <Chart {...counts} title={`Requests per ${step}`} series={series.requests} />
      </Card>
      <Card>
        <Chart {...counts} title={`Failures per ${step}`} series={series.failures} />
      </Card>
      <Card>
        <Chart {...times} title="Time to first byte" series={series.first_byte_ms} />
      </Card>
      <Card>
        <Chart {...times} title="Duration" series={series.duration_ms} />
      </Card>
      <Card>
        <Chart {...times} title="Time in the queue" series={series.queue_ms} />
      </Card>
      <Card>
        <Chart {...counts} title={`Tokens per ${step}`} series={series.tokens} />
      </Card>
    </div>
  );
}

function chartsOf({ from, every_ms, steps }: TrafficAnswer) {
  const begin = Date.parse(from) / 1000;
  const line = (label: string, color: Color, values: ChartSeries["values"]): ChartSeries => ({
    label,
    color,
    values,
  });
  const percentiles = (name: Durations) => [
    line("95%", "warn", steps[`${name}_p95`]),
    line("median", "accent", steps[`${name}_p50`]),
  ];
  return {
    xs: steps.asks.map((_, index) => begin + (index * every_ms) / 1000),
    series: {
      requests: [line("all", "accent", steps.asks), line("failed", "bad", steps.failed)],
      failures: failuresOf(steps).map(([code, counts], index) =>
        line(code, COLORS[index] ?? "accent", counts),
      ),
      first_byte_ms: percentiles("first_byte_ms"),
      duration_ms: percentiles("duration_ms"),
      queue_ms: percentiles("queue_ms"),
      tokens: [line("input", "accent", steps.prompt_tokens), line("output", "ok", steps.completion_tokens)],
    },
  };
}

/** Returns the courses of the three most frequent errors, and of all others together. */
function failuresOf({ errors, failed }: Steps): [string, readonly number[]][] {
  const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  const sorted = Object.entries(errors).sort(([, a], [, b]) => sumOf(b) - sumOf(a));
  if (sorted.length === 0) return [["failed", failed]];
  if (sorted.length <= COLORS.length) return sorted;
  const rest = sorted.slice(COLORS.length - 1);
  const others = failed.map((_, step) => sumOf(rest.map(([, counts]) => counts[step] ?? 0)));
  return [...sorted.slice(0, COLORS.length - 1), ["others", others]];
}

function stepName(ms: number): string {
  const [count, unit] = ms < 3_600_000 ? [ms / 60_000, "min"] : [ms / 3_600_000, "h"];
  return count === 1 ? (unit === "min" ? "minute" : "hour") : `${count} ${unit}`;
}
