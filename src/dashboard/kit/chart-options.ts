import uPlot from "uplot";

/** Custom properties of the style sheet, `--chart-ok` and so on, so that they follow light and dark. */
export type Colour = "ok" | "bad" | "accent" | "warn" | "quiet";

export interface ChartSeries {
  label: string;
  colour: Colour;
  /** As many as there are points; null where there is no figure. */
  values: readonly (number | null)[];
}

interface OptionsOf {
  series: readonly ChartSeries[];
  format: (value: number | null) => string;
  xLabel?: (x: number) => string;
  isBars?: boolean;
  areGapsBridged?: boolean;
  /** The y axis reaches at least so far. */
  reach?: number;
  /** Of the x axis, at each drawing; undefined for that of the data. */
  rangeNow(): readonly [number, number] | undefined;
}

const AXIS_WIDTH = 58;
const AXIS_HEIGHT = 26;
/** A date is 70 pixels wide, and a time of day less than the 50 that are usual. */
const DATE_SPACE = 90;
const FONT = "12px system-ui, sans-serif";

/** The drawing's own legend stays away, as it is a table that screen readers would read with every point. */
export function chartOptions(chart: OptionsOf, onPoint: (index: number | null) => void): uPlot.Options {
  const { series, format, xLabel, isBars, areGapsBridged, reach = 1, rangeNow } = chart;
  const axis: uPlot.Axis = {
    stroke: () => colourOf("--muted"),
    grid: { stroke: () => colourOf("--line"), width: 1 },
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
        range: (_, min, max) => [...(rangeNow() ?? (isBars ? barRange : dataRange)(min, max))],
      },
      y: { range: (_, __, max) => [0, Math.max(reach, (max ?? 0) * 1.1)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: AXIS_HEIGHT,
        ...(xLabel && { space: DATE_SPACE }),
        values: (_, xs) => xs.map((x) => (xLabel ? labelOf(x, xLabel) : minuteOf(x))),
      },
      { ...axis, size: AXIS_WIDTH, values: (_, ticks) => ticks.map((tick) => format(tick)) },
    ],
    series: [{}, ...series.map((one) => seriesOptions(one, isBars ?? false, areGapsBridged ?? false))],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  };
}

function seriesOptions({ label, colour }: ChartSeries, isBars: boolean, spanGaps: boolean): uPlot.Series {
  const stroke = () => colourOf(`--chart-${colour}`);
  return {
    label,
    stroke,
    width: isBars ? 0 : 1.75,
    fill: isBars ? stroke : () => colourOf(`--chart-${colour}-fill`),
    points: { show: false },
    spanGaps,
    ...(isBars && uPlot.paths.bars && { paths: uPlot.paths.bars({ size: [0.7, 40] }) }),
  };
}

/** Whole numbers only: between two days there is nothing to name. */
function labelOf(x: number, xLabel: (x: number) => string): string {
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

function colourOf(property: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}
