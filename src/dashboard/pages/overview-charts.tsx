import { useMemo } from "hono/jsx/dom";
import { formatDuration, formatNumber } from "../format.ts";
import { Card } from "../kit/card.tsx";
import { Chart, type ChartSeries, type Colour } from "../kit/chart.tsx";
import { type Course, type Fold, type History, inSteps, maxOf, meanOf, stepsOf } from "../state/history.ts";

const SHOWN_S = 900;

/** A second is too short to show a course: with few asks, most have none. */
const STEP_S = 5;

/** The last 15 minutes, also where the server has not run for so long. */
export function OverviewCharts({ history }: { history: History }) {
  const { xs, range, rate, level, delay } = useMemo(() => linesOf(history), [history]);
  return (
    <div class="charts">
      <Card>
        <Chart title="Asks a second" xs={xs} range={range} format={formatNumber} series={rate} />
      </Card>
      <Card>
        <Chart title="Asks running and waiting" xs={xs} range={range} format={formatNumber} series={level} />
      </Card>
      <Card>
        <Chart
          title="Time to first byte"
          xs={xs}
          range={range}
          format={formatDuration}
          areGapsBridged
          reach={200}
          series={delay}
        />
      </Card>
    </div>
  );
}

function linesOf({ xs, courses }: History) {
  const line = (label: string, colour: Colour, course: Course, fold: Fold): ChartSeries => ({
    label,
    colour,
    values: inSteps(xs, course, STEP_S, fold),
  });
  const newest = xs.at(-1) ?? 0;
  return {
    xs: stepsOf(xs, STEP_S),
    range: [newest - SHOWN_S, newest] as const,
    rate: [line("ok", "ok", courses.ok, meanOf), line("failed", "bad", courses.failed, meanOf)],
    level: [line("running", "accent", courses.running, maxOf), line("waiting", "warn", courses.queue, maxOf)],
    delay: [
      line("first byte", "accent", courses.first_byte_ms, meanOf),
      line("wait for an agent", "warn", courses.queue_ms, meanOf),
    ],
  };
}
