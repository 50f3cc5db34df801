import type { Report } from "../report.ts";
import type { Row } from "../rows.ts";
import { element, textAt } from "./svg.ts";

const WIDTH = 860;
const LEFT = 330;
const RIGHT = 60;
const BAR = 11;
const GAP = 8;
const MARGIN = 20;
/** The newest results, so that the picture stays readable. */
const REPORTS_MAX = 4;

const STYLE = `text{font:12px system-ui,sans-serif;fill:#24292f}.head{font-weight:600;font-size:14px}.small{font-size:11px;fill:#57606a}
.axis{stroke:#d0d7de}.one{stroke:#57606a;stroke-dasharray:3 3}.spread{stroke:#24292f}.goal{stroke:#cf222e;stroke-width:2}
.r0{fill:#0969da}.r1{fill:#54aeff}.r2{fill:#80ccff}.r3{fill:#b6e3ff}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.axis{stroke:#3d444d}.one{stroke:#9198a1}.spread{stroke:#e6edf3}}`;

interface Panel {
  title: string;
  about: string;
  /** The rows of the panel, and the name that each has there; undefined for any other row. */
  nameOf(row: Row): string | undefined;
}

/** Removes the beginning that all rows of a panel have in common. */
const after = (row: Row, beginning: string) =>
  row.scenario.startsWith(beginning) ? row.scenario.slice(beginning.length) : undefined;

const PANELS: readonly Panel[] = [
  {
    title: "Rate, compared with a relay that only relays",
    about: "1 is the limit of this runtime",
    nameOf: (row) =>
      row.metric === "rate" && /^(asks|chat|64 streams)\b/.test(row.scenario) ? row.scenario : undefined,
  },
  {
    title: "Latency of one request at a time and of paced streams, compared with the same relay",
    about: "1 is the limit of this runtime",
    nameOf: (row) =>
      /^(latency|first delta) p50$/.test(row.metric) &&
      /^(asks, 1 caller|1 stream|64 streams, paced)$/.test(row.scenario)
        ? `${row.scenario}: ${row.metric}`
        : undefined,
  },
  {
    title: "Rate through our agent, compared with other programs before the same upstream",
    about: "1 is as fast as the other program",
    nameOf: (row) =>
      row.metric === "rate" && /: built-in \//.test(row.scenario) ? after(row, "bridge, ") : undefined,
  },
  {
    title: "CPU of a chat completion as the server grows",
    about: "1 is flat",
    nameOf: (row) => (row.metric === "CPU" ? after(row, "growth, chat beside ") : undefined),
  },
  {
    title: "Time of an event in the core, compared with 10 agents and 200 waiting requests",
    about: "1 is flat",
    nameOf(row) {
      const size = after(row, "core, ");
      return size === undefined ? undefined : `${row.metric}: ${size.replace(/, compared.*/, "")}`;
    },
  },
];

/** Draws the ratios of the results, newest first, as one SVG picture. */
export function drawReports(reports: readonly Report[]): string {
  const newest = [...reports].reverse().slice(0, REPORTS_MAX);
  const parts: string[] = [];
  let y = MARGIN + BAR;
  for (const [index, report] of newest.entries()) {
    parts.push(element("rect", { x: MARGIN, y: y - BAR + 2, width: BAR, height: BAR, class: `r${index}` }));
    parts.push(textAt(describe(report), MARGIN + 18, y));
    y += 18;
  }
  const key = "Black line: 10th to 90th percentile. Red: goal. The scale is logarithmic.";
  parts.push(textAt(key, MARGIN, y, { class: "small" }));
  y += 10;
  for (const panel of PANELS) {
    const drawn = drawPanel(panel, newest, y);
    parts.push(...drawn.parts);
    y = drawn.end;
  }
  const size = { width: WIDTH, height: y + MARGIN, viewBox: `0 0 ${WIDTH} ${Math.ceil(y + MARGIN)}` };
  const head = `<title>Results of the bench</title><style>${STYLE}</style>`;
  return `${element("svg", { xmlns: "http://www.w3.org/2000/svg", role: "img", ...size }, [head, ...parts])}\n`;
}

/** Returns the version and the machine. A quick run, or one on a busy machine, the results are rough. */
function describe({ at, version, processor, cores, set, loadBefore, loadAfter }: Report): string {
  const [load = Number.NaN] = [...loadBefore.slice(0, 1), ...loadAfter.slice(0, 1)].sort((a, b) => b - a);
  const busy = load > cores ? ", on a busy machine" : "";
  const quick = set === "quick" ? ", a quick run" : "";
  return `${version}, ${at.slice(0, 10)}, ${cores} cores of ${processor}${quick}${busy} (load ${load.toFixed(1)})`;
}

function drawPanel({ title, about, nameOf }: Panel, reports: readonly Report[], top: number) {
  const groups = new Map<string, { row: Row; report: number }[]>();
  for (const [report, { rows }] of reports.entries()) {
    for (const row of rows) {
      const name = nameOf(row);
      if (name !== undefined && row.ratio && row.ratio.median > 0)
        groups.getOrInsertComputed(name, () => []).push({ row, report });
    }
  }
  if (groups.size === 0) return { parts: [], end: top };
  const bars = [...groups.values()].flat();
  const scale = scaleOf(
    bars.flatMap(({ row }) => [row.ratio?.median ?? 1, row.goal?.of === "ratio" ? limitOf(row) : 1]),
  );
  const parts = [
    textAt(title, MARGIN, top + 26, { class: "head" }),
    textAt(about, MARGIN, top + 42, { class: "small" }),
  ];
  const first = top + 66;
  let y = first;
  for (const [name, group] of groups) {
    parts.push(textAt(name, MARGIN, y + BAR - 1));
    for (const { row, report } of group) {
      parts.push(...drawBar(row, report, y, scale));
      y += BAR + 1;
    }
    y += GAP;
  }
  return { parts: [...axes(scale, first - 8, y), ...parts], end: y + 6 };
}

interface Scale {
  ticks: number[];
  x(ratio: number): number;
}

function limitOf({ goal }: Row): number {
  return goal?.atLeast ?? goal?.atMost ?? 1;
}

/** Returns a logarithmic scale with a tick for each power of ten that is needed, and those between. */
function scaleOf(ratios: readonly number[]): Scale {
  const low = Math.min(0.1, 10 ** Math.floor(Math.log10(Math.min(...ratios))));
  const high = Math.max(2, 10 ** Math.log10(Math.max(...ratios)) * 1.3);
  const width = WIDTH - LEFT - RIGHT;
  const span = Math.log10(high / low);
  const x = (ratio: number) => LEFT + (width * Math.log10(Math.min(high, Math.max(low, ratio)) / low)) / span;
  const powers = Array.from({ length: 12 }, (_, index) => low * 10 ** index);
  const steps = span > 2.5 ? [1] : [1, 2, 5];
  const ticks = powers.flatMap((power) => steps.map((step) => power * step));
  return { ticks: ticks.filter((tick) => tick <= high), x };
}

function axes({ ticks, x }: Scale, top: number, bottom: number): string[] {
  const line = (at: number, name: string) =>
    element("line", { x1: x(at), x2: x(at), y1: top, y2: bottom - GAP, class: name });
  const labels = ticks.map((tick) =>
    textAt(String(Number(tick.toPrecision(1))), x(tick), top - 3, {
      class: "small",
      "text-anchor": "middle",
    }),
  );
  return [...ticks.map((tick) => line(tick, "axis")), line(1, "one"), ...labels];
}

function drawBar(row: Row, report: number, y: number, { x }: Scale): string[] {
  const { median, p10, p90 } = row.ratio ?? { median: 1, p10: 1, p90: 1 };
  const [from, to] = [x(Math.min(1, median)), x(Math.max(1, median))];
  const middle = y + BAR / 2;
  const parts = [
    element("rect", { x: from, y, width: Math.max(1, to - from), height: BAR, class: `r${report}` }),
  ];
  if (p10 > 0 && p90 > 0)
    parts.push(element("line", { x1: x(p10), x2: x(p90), y1: middle, y2: middle, class: "spread" }));
  if (row.goal?.of === "ratio") {
    const at = x(limitOf(row));
    parts.push(element("line", { x1: at, x2: at, y1: y - 2, y2: y + BAR + 2, class: "goal" }));
  }
  parts.push(textAt(median.toPrecision(2), WIDTH - RIGHT + 8, y + BAR - 1, { class: "small" }));
  return parts;
}
