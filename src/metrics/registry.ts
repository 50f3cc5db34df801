import { createChildren } from "./labels.ts";

/** A family of figures: by its labels' values it has a series each. */
export interface About {
  name: string;
  help: string;
  /** The names of its labels, three at most. */
  labels?: readonly string[];
}

export interface Counter {
  /** Default: 1. Never negative. */
  inc(by?: number): void;
}

export interface Histogram {
  observe(value: number): void;
}

/** A series by the values of its labels, in their order. It is there from the first time that it is asked for. */
type Series<One> = (...values: string[]) => One;

/** The value of a series, and the values of its labels. */
type Sample = readonly [value: number, ...labels: string[]];

/** What is counted, with each look at it as text. A series that is kept costs some nanoseconds to count in. */
export interface Registry {
  counter(about: About): Series<Counter>;
  /** `buckets` are the upper bounds, rising; there is one more for all values. */
  histogram(about: About & { buckets: readonly number[] }): Series<Histogram>;
  /** Of what others count: `read` is called at each look. */
  read(type: "counter" | "gauge", about: About, read: () => number | readonly Sample[]): void;
  /** All figures in Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/. */
  text(): string;
}

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export function createRegistry(): Registry {
  const families: (() => string)[] = [];
  const add = (type: string, { name, help }: About, samples: () => string[]) => {
    families.push(() => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples()].join("\n"));
  };
  return {
    counter(about) {
      const { one, all } = createSeries(about, createCount);
      add("counter", about, () =>
        all().map(([labels, { value }]) => `${about.name}${braced(labels)} ${shown(value())}`),
      );
      return one;
    },
    histogram(about) {
      const { one, all } = createSeries(about, () => createDistribution(about.buckets));
      add("histogram", about, () => all().flatMap(([labels, { samples }]) => samples(about.name, labels)));
      return one;
    },
    read(type, about, read) {
      add(type, about, () => {
        const values = read();
        const samples: readonly Sample[] = typeof values === "number" ? [[values]] : values;
        return samples.map(([value, ...of]) => `${about.name}${braced(pairs(about, of))} ${shown(value)}`);
      });
    },
    text: () => `${families.map((family) => family()).join("\n\n")}\n`,
  };
}

/** Without labels there is one series, and it is there at once. */
function createSeries<One>(about: About, create: () => One) {
  const made: [labels: string[], one: One][] = [];
  const one = createChildren((...values) => {
    const child = create();
    made.push([pairs(about, values), child]);
    return child;
  });
  if (!about.labels) one();
  return { one, all: () => made };
}

function createCount() {
  let count = 0;
  return {
    inc(by = 1) {
      count += by;
    },
    value: () => count,
  };
}

function createDistribution(buckets: readonly number[]) {
  // Each has the values between the bound before and its own; the last one those above all bounds.
  const counts = new Float64Array(buckets.length + 1);
  let sum = 0;
  return {
    observe(value: number) {
      let at = 0;
      while (value > (buckets[at] ?? Infinity)) at++;
      counts[at] = (counts[at] ?? 0) + 1;
      sum += value;
    },
    samples(name: string, labels: readonly string[]): string[] {
      let count = 0;
      const upTo = [...counts].map((more, at) => {
        count += more;
        return `${name}_bucket${braced([pair("le", shown(buckets[at] ?? Infinity)), ...labels])} ${count}`;
      });
      const rest = braced(labels);
      return [...upTo, `${name}_sum${rest} ${shown(sum)}`, `${name}_count${rest} ${count}`];
    },
  };
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", '"': '\\"' };

function pairs({ labels = [] }: About, values: readonly string[]): string[] {
  return labels.map((label, at) => pair(label, values[at] ?? ""));
}

function pair(label: string, value: string): string {
  return `${label}="${value.replace(/[\\\n"]/g, (sign) => ESCAPES[sign] ?? sign)}"`;
}

function braced(labels: readonly string[]): string {
  return labels.length === 0 ? "" : `{${labels.join(",")}}`;
}

function shown(value: number): string {
  return value === Infinity ? "+Inf" : String(value);
}
