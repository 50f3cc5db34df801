import { useRef } from "hono/jsx/dom";
import { formatMoney, formatShortMoney } from "../format.ts";
import { useEffect, useState } from "../state/hooks.ts";
import { language, text } from "../texts/texts.ts";
import type { ChartSeries, Color } from "./chart/chart-options.ts";
import type { Plot, Plotted } from "./chart/plot.ts";
import { classNames } from "./class-names.ts";
import { ScrollArea } from "./scroll-area.tsx";

export type { ChartSeries, Color };

interface ChartProps extends Plotted {
  /** Shown above the chart. */
  title: string;
}

let plotting: Promise<typeof import("./chart/plot.ts")> | undefined;

/** Loads what draws, which is half as large as a page with its numbers. They need not wait for it. */
function loadPlotting() {
  plotting ??= import("./chart/plot.ts").catch((error: unknown) => {
    plotting = undefined;
    throw error;
  });
  return plotting;
}

/**
 * Lines or bars over time. The drawing is hidden from screen readers, which get the title, the legend and, as
 * everyone can, a table.
 */
export function Chart(props: ChartProps) {
  const { title, xs, series, format, xLabel = clock } = props;
  const box = useRef<HTMLDivElement | null>(null);
  const plot = useRef<Plot | null>(null);
  // The plot is created once, and reads the newest props each time it is drawn.
  const latest = useRef(props);
  latest.current = props;
  const [pointed, setPointed] = useState<number | null>(null);
  const names = series.map(({ label }) => label).join("\n");
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    let isGone = false;
    loadPlotting().then(
      ({ drawPlot }) => {
        if (!isGone) plot.current = drawPlot(element, () => latest.current ?? props, setPointed);
      },
      // The numbers stand in the table too. The next chart tries again.
      () => undefined,
    );
    return () => {
      isGone = true;
      plot.current?.end();
      plot.current = null;
    };
  }, [names]);
  useEffect(() => {
    plot.current?.update(props);
  }, [xs, ...series.map(({ values }) => values)]);
  const shown = pointed ?? xs.length - 1;
  const at = xs[shown];
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <span class="muted">{pointed === null || at === undefined ? "" : xLabel(at)}</span>
        <ul class="legend">
          {series.map(({ label, about, color, values }) => (
            <li key={label} title={about}>
              <span class={classNames("swatch", color)} aria-hidden="true" />
              {label} <b>{format(values[shown] ?? null)}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      <div class="chart-box" ref={box} aria-hidden="true" />
      <ChartTable {...props} />
    </figure>
  );
}

/** The table shows only the newest rows, because nobody reads 900 of them. */
const ROWS_MAX = 60;

function ChartTable({ title, xs, series, format, xLabel = clock }: ChartProps) {
  const [isOpen, setOpen] = useState(false);
  const from = Math.max(0, xs.length - ROWS_MAX);
  return (
    <details
      class="chart-table"
      onToggle={(event: Event) => setOpen((event.target as HTMLDetailsElement).open)}
    >
      <summary>
        {text("chart.showTable")}
        <span class="off-screen">: {title}</span>
      </summary>
      {isOpen ? (
        <ScrollArea label={title}>
          <table>
            <caption class="off-screen">{title}</caption>
            <thead>
              <tr>
                <th scope="col">{text(xLabel === clock ? "chart.time" : "chart.day")}</th>
                {series.map(({ label }) => (
                  <th scope="col" class="number">
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {xs
                .slice(from)
                .map((x, index) => (
                  <tr key={x}>
                    <th scope="row">{xLabel(x)}</th>
                    {series.map(({ values }) => (
                      <td class="number">{format(values[from + index] ?? null)}</td>
                    ))}
                  </tr>
                ))
                .reverse()}
            </tbody>
          </table>
        </ScrollArea>
      ) : null}
    </details>
  );
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString(language, {
    hourCycle: "h23",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

/** Shows costs over time, with an axis in the steps of money. */
export function CostChart({
  currency,
  values,
  ...props
}: Omit<ChartProps, "format" | "axisFormat" | "isMoney" | "yMaxAtLeast" | "series"> & {
  currency: string;
  values: ChartSeries["values"];
}) {
  return (
    <Chart
      {...props}
      format={(value) => formatMoney(value, currency)}
      axisFormat={(value) => formatShortMoney(value, currency)}
      isMoney
      yMaxAtLeast={0.000001}
      series={[{ label: text("chart.cost"), color: "accent", values }]}
    />
  );
}
