import { useMemo } from "hono/jsx/dom";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../durations.ts";
import type { TrafficAnswer } from "../../api/types.ts";
import { Card } from "../../components/card.tsx";
import { Chart, type ChartSeries, type Color, CostChart } from "../../components/chart.tsx";
import { formatDuration, formatShort, formatTime } from "../../format.ts";
import { errorWords } from "../../texts/error-words.ts";
import { text } from "../../texts/texts.ts";

const COLORS = ["bad", "warn", "accent"] as const;

type Steps = TrafficAnswer["steps"];
type Durations = "queue_ms" | "first_byte_ms" | "duration_ms";

/** The course of each number over the period. */
export function TrafficCharts({ traffic }: { traffic: TrafficAnswer }) {
  const { xs, series } = useMemo(() => chartsOf(traffic), [traffic]);
  const isLong = Date.parse(traffic.to) - Date.parse(traffic.from) > DAY_MS + 2 * traffic.every_ms;
  const common = { xs, ...(isLong && { xLabel: (x: number) => formatTime(x * 1000).slice("2026-".length) }) };
  const { currency, every_ms } = traffic;
  const { unit, count } = stepOf(every_ms);
  const counts = { ...common, format: formatShort };
  const times = { ...common, format: formatDuration, spanGaps: true, hasPoints: true, yMaxAtLeast: 10 };
  return (
    <div key={String(isLong)} class="grid-2">
      <Card>
        <Chart {...counts} title={text(`traffic.requestsPer.${unit}`, { count })} series={series.requests} />
      </Card>
      <Card>
        <Chart {...counts} title={text(`traffic.failuresPer.${unit}`, { count })} series={series.failures} />
      </Card>
      <Card>
        <Chart {...times} title={text("traffic.firstByte")} series={series.first_byte_ms} />
      </Card>
      <Card>
        <Chart {...times} title={text("traffic.duration")} series={series.duration_ms} />
      </Card>
      <Card>
        <Chart {...times} title={text("traffic.chart.queue")} series={series.queue_ms} />
      </Card>
      <Card>
        <Chart {...counts} title={text(`traffic.tokensPer.${unit}`, { count })} series={series.tokens} />
      </Card>
      {currency === null ? null : (
        <Card>
          <CostChart
            {...common}
            currency={currency}
            title={text(`traffic.costPer.${unit}`, { count })}
            values={traffic.steps.cost}
          />
        </Card>
      )}
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
    line(text("traffic.line.p95"), "warn", steps[`${name}_p95`]),
    line(text("traffic.line.median"), "accent", steps[`${name}_p50`]),
  ];
  return {
    xs: steps.asks.map((_, index) => begin + (index * every_ms) / 1000),
    series: {
      requests: [
        line(text("traffic.line.all"), "accent", steps.asks),
        line(text("traffic.line.failed"), "bad", steps.failed),
        ...(steps.refused ? [line(text("traffic.line.refused"), "warn", steps.refused)] : []),
      ],
      failures: failuresOf(steps).map(([code, counts], index) => ({
        ...line(errorWords(code), COLORS[index] ?? "accent", counts),
        about: code,
      })),
      first_byte_ms: percentiles("first_byte_ms"),
      duration_ms: percentiles("duration_ms"),
      queue_ms: percentiles("queue_ms"),
      tokens: [
        line(text("traffic.line.input"), "accent", steps.prompt_tokens),
        line(text("traffic.line.output"), "ok", steps.completion_tokens),
      ],
    },
  };
}

/** Returns the courses of the two most frequent errors, and of all others together. */
function failuresOf({ errors, failed }: Steps): [string, readonly number[]][] {
  const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  const sorted = Object.entries(errors).sort(([, a], [, b]) => sumOf(b) - sumOf(a));
  if (sorted.length === 0) return [[text("traffic.line.failed"), failed]];
  if (sorted.length <= COLORS.length) return sorted;
  const rest = sorted.slice(COLORS.length - 1);
  const others = failed.map((_, step) => sumOf(rest.map(([, counts]) => counts[step] ?? 0)));
  return [...sorted.slice(0, COLORS.length - 1), [text("traffic.line.others"), others]];
}

function stepOf(ms: number): { unit: "minute" | "minutes" | "hour" | "hours"; count: number } {
  const [minutes, hours] = [ms / MINUTE_MS, ms / HOUR_MS];
  if (hours < 1) return { unit: minutes === 1 ? "minute" : "minutes", count: minutes };
  return { unit: hours === 1 ? "hour" : "hours", count: hours };
}
