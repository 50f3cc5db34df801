import { useMemo } from "hono/jsx/dom";
import { Card } from "../../components/card.tsx";
import { Chart, type ChartSeries, type Color } from "../../components/chart.tsx";
import { formatDuration, formatNumber } from "../../format.ts";
import {
  type Fold,
  foldSteps,
  type History,
  maxOf,
  meanOf,
  type Series,
  stepStarts,
} from "../../state/history.ts";
import { text } from "../../texts/texts.ts";

const SHOWN_S = 900;

/** Seconds are combined because with few requests most seconds have none. */
const STEP_S = 5;

/** Charts of the last 15 minutes, even if the server has not run that long. */
export function OverviewCharts({ history }: { history: History }) {
  const { xs, range, rate, level, latency } = useMemo(() => linesOf(history), [history]);
  return (
    <div class="charts">
      <Card>
        <Chart
          title={text("overview.charts.rate")}
          xs={xs}
          range={range}
          format={formatNumber}
          series={rate}
        />
      </Card>
      <Card>
        <Chart
          title={text("overview.charts.level")}
          xs={xs}
          range={range}
          format={formatNumber}
          series={level}
        />
      </Card>
      <Card>
        <Chart
          title={text("overview.charts.latency")}
          xs={xs}
          range={range}
          format={formatDuration}
          spanGaps
          yMaxAtLeast={200}
          series={latency}
        />
      </Card>
    </div>
  );
}

function linesOf({ xs, series }: History) {
  const line = (label: string, color: Color, course: Series, fold: Fold): ChartSeries => ({
    label,
    color,
    values: foldSteps(xs, course, STEP_S, fold),
  });
  const newest = xs.at(-1) ?? 0;
  return {
    xs: stepStarts(xs, STEP_S),
    range: [newest - SHOWN_S, newest] as const,
    rate: [
      line(text("overview.charts.ok"), "ok", series.ok, meanOf),
      line(text("overview.charts.failed"), "bad", series.failed, meanOf),
      line(text("overview.charts.refused"), "warn", series.refused, meanOf),
    ],
    level: [
      line(text("overview.charts.running"), "accent", series.running, maxOf),
      line(text("overview.charts.waiting"), "warn", series.queue, maxOf),
    ],
    latency: [
      line(text("overview.charts.firstByte"), "accent", series.first_byte_ms, meanOf),
      line(text("overview.charts.queueTime"), "warn", series.queue_ms, meanOf),
    ],
  };
}
