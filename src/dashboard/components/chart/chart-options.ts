import uPlot from "uplot";
import { language } from "../../texts/texts.ts";

/**
 * Names custom properties of the style sheet, such as `--chart-ok`, which differ between light and dark mode.
 */
export type Color = "ok" | "bad" | "accent" | "warn";

export interface ChartSeries {
  label: string;
  /** Is shown on hover over the label, such as the code of an error. */
  about?: string;
  color: Color;
  /** One value per point; null if the value is unknown. */
  values: readonly (number | null)[];
}

/** A chart's appearance and series, without its x values. */
export interface ChartAppearance {
  series: readonly ChartSeries[];
  /** Formats values for the axis, the legend and the table. */
  format: (value: number | null) => string;
  /** Formats values for the axis in fewer letters. Default: `format`. */
  axisFormat?: (value: number) => string;
  /** Labels a point of the x axis. By default, x values are shown as times of day. */
  xLabel?: (x: number) => string;
  /** Draws bars, for totals per day, instead of lines. */
  isBars?: boolean;
  /** The values may be far below 1, and are shown with all digits that they need. */
  isMoney?: boolean;
  /** Marks each point of a line, which shows a value that has no neighbours. */
  hasPoints?: boolean;
  /** Draws lines across points without a value. */
  spanGaps?: boolean;
  /** The y axis extends at least to this value. Default: 1. */
  yMaxAtLeast?: number;
  /** The range of the x axis, if it should show more than the data covers. */
  range?: readonly [number, number];
}

/** The y axis is as wide as its longest label, such as €0.0000020, and at least so. */
const AXIS_WIDTH = 58;
const LABEL_ROOM = 16;
const LETTER_WIDTH = 7;
const AXIS_HEIGHT = 26;
/** Pixels between labels with dates, which are 70 wide. uPlot's default of 50 suffices for times of day. */
const DATE_SPACE = 90;
/** Half of the last label is to the right of the drawing: of a date, and of a time of day. */
const DATE_ROOM = 38;
const TIME_ROOM = 22;
const FONT = "12px system-ui, sans-serif";

/** Returns steps of the y axis: 0.1, 0.2, 0.5, 1, … uPlot also has 0.25, which one decimal place would misstate. */
const stepsFrom = (lowest: number) =>
  Array.from({ length: 15 - lowest }, (_, nth) =>
    [1, 2, 5].map((step) => step * 10 ** (lowest + nth)),
  ).flat();
const Y_STEPS = stepsFrom(-1);
const MONEY_STEPS = stepsFrom(-9);
/** Bars count whole things. */
const WHOLE_STEPS = stepsFrom(0);

/**
 * Returns uPlot's options. Texts and ranges come from `current` at each drawing, lines and colors from this
 * call. uPlot's own legend is off, because it is a table that screen readers would read again for each point.
 */
export function chartOptions(
  current: () => ChartAppearance,
  onPoint: (index: number | null) => void,
): uPlot.Options {
  const { series, xLabel } = current();
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
    padding: [8, xLabel ? DATE_ROOM : TIME_ROOM, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: {
        time: !xLabel,
        range: (_, min, max) => [...(current().range ?? (current().isBars ? barRange : dataRange)(min, max))],
      },
      y: { range: (_, __, max) => [0, highest(max, current().yMaxAtLeast)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: AXIS_HEIGHT,
        ...(xLabel && { space: DATE_SPACE }),
        values: (_, xs) => xs.map((x) => labelOf(x, current().xLabel)),
      },
      {
        ...axis,
        size: (_, labels) => axisWidth(labels),
        incrs: current().isMoney ? MONEY_STEPS : current().isBars ? WHOLE_STEPS : Y_STEPS,
        values: (_, ticks) => ticks.map((tick) => (current().axisFormat ?? current().format)(tick)),
      },
    ],
    series: [{}, ...series.map((one) => seriesOptions(one, current()))],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  };
}

/** Returns the end of the y axis: where nothing was counted, a whole one. */
const highest = (max: number | null, atLeast = 1): number =>
  max ? Math.max(atLeast, max * 1.1) : Math.max(atLeast, 1);

const axisWidth = (labels: readonly string[] | null): number =>
  Math.max(AXIS_WIDTH, ...(labels ?? []).map((label) => LABEL_ROOM + LETTER_WIDTH * label.length));

function seriesOptions({ label, color }: ChartSeries, appearance: ChartAppearance): uPlot.Series {
  const { isBars = false, hasPoints = false, spanGaps = false } = appearance;
  const stroke = () => colorOf(`--chart-${color}`);
  return {
    label,
    stroke,
    width: isBars ? 0 : 1.75,
    fill: isBars ? stroke : () => colorOf(`--chart-${color}-fill`),
    points: { show: hasPoints, size: 4, width: 0, fill: stroke },
    spanGaps,
    ...(isBars && uPlot.paths.bars && { paths: uPlot.paths.bars({ size: [0.7, 40] }) }),
  };
}

/** Labels only whole numbers if there is an `xLabel`, because there is nothing between two days. */
function labelOf(x: number, xLabel: ChartAppearance["xLabel"]): string {
  if (!xLabel) return minuteOf(x);
  return Number.isInteger(x) ? xLabel(x) : "";
}

/** Leaves room for half a bar at either end. */
function barRange(min: number | null, max: number | null): [number, number] {
  return [(min ?? 0) - 0.5, (max ?? 0) + 0.5];
}

function dataRange(min: number | null, max: number | null): [number, number] {
  return [min ?? 0, max ?? 1];
}

/** Formats a time of day in the browser's time zone: 14:05. */
function minuteOf(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString(language, {
    hourCycle: "h23",
    hour: "2-digit",
    minute: "2-digit",
  });
}

function colorOf(property: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}
