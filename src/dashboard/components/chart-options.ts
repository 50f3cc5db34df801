import uPlot from "uplot";

/** Custom properties of the style sheet, `--chart-ok` and so on, so that they follow light and dark. */
export type Color = "ok" | "bad" | "accent" | "warn";

export interface ChartSeries {
  label: string;
  color: Color;
  /** As many as there are points; null where there is no figure. */
  values: readonly (number | null)[];
}

/** How a chart looks, but for its points. */
export interface ChartLook {
  series: readonly ChartSeries[];
  /** As in “5.2 asks/s”; for the axis, the legend and the table. */
  format: (value: number | null) => string;
  /** Names a point of the x axis; a clock time if missing. */
  xLabel?: (x: number) => string;
  /** Bars for amounts of days, lines for a course. */
  isBars?: boolean;
  /** Lines go on over points without a figure, as they do where not every second has one. */
  spanGaps?: boolean;
  /** The y axis reaches at least so far; to 1 if missing. */
  reach?: number;
  /** The x axis, where it is to show more than there is data for. */
  range?: readonly [number, number];
}

const AXIS_WIDTH = 58;
const AXIS_HEIGHT = 26;
/** A date is 70 pixels wide, and a time of day less than the 50 that are usual. */
const DATE_SPACE = 90;
const FONT = "12px system-ui, sans-serif";

/**
 * Texts and ranges are those of `now` at each drawing, lines and colors those of this call. The drawing's own legend
 * stays away, as it is a table that screen readers would read with every point.
 */
export function chartOptions(now: () => ChartLook, onPoint: (index: number | null) => void): uPlot.Options {
  const { series, xLabel, isBars, spanGaps } = now();
  const axis: uPlot.Axis = {
    stroke: () => colorOf("--muted"),
    grid: { stroke: () => colorOf("--line"), width: 1 },
    ticks: { show: false },
    font: FONT,
    gap: 6,
  };
  return {
    width: 300,
    height: 160,
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: {
        time: !xLabel,
        range: (_, min, max) => [...(now().range ?? (isBars ? barRange : dataRange)(min, max))],
      },
      y: { range: (_, __, max) => [0, Math.max(now().reach ?? 1, (max ?? 0) * 1.1)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: AXIS_HEIGHT,
        ...(xLabel && { space: DATE_SPACE }),
        values: (_, xs) => xs.map((x) => labelOf(x, now().xLabel)),
      },
      { ...axis, size: AXIS_WIDTH, values: (_, ticks) => ticks.map((tick) => now().format(tick)) },
    ],
    series: [{}, ...series.map((one) => seriesOptions(one, isBars ?? false, spanGaps ?? false))],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  };
}

function seriesOptions({ label, color }: ChartSeries, isBars: boolean, spanGaps: boolean): uPlot.Series {
  const stroke = () => colorOf(`--chart-${color}`);
  return {
    label,
    stroke,
    width: isBars ? 0 : 1.75,
    fill: isBars ? stroke : () => colorOf(`--chart-${color}-fill`),
    points: { show: false },
    spanGaps,
    ...(isBars && uPlot.paths.bars && { paths: uPlot.paths.bars({ size: [0.7, 40] }) }),
  };
}

/** With `xLabel` of whole numbers only: between two days there is nothing to name. */
function labelOf(x: number, xLabel: ChartLook["xLabel"]): string {
  if (!xLabel) return minuteOf(x);
  return Number.isInteger(x) ? xLabel(x) : "";
}

/** Half a bar of room at either end. */
function barRange(min: number | null, max: number | null): [number, number] {
  return [(min ?? 0) - 0.5, (max ?? 0) + 0.5];
}

function dataRange(min: number | null, max: number | null): [number, number] {
  return [min ?? 0, max ?? 1];
}

/** 14:05, in the browser's own zone. */
function minuteOf(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

function colorOf(property: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}
