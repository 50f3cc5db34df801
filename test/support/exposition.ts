export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface Family {
  name: string;
  type: string;
  help: string;
  samples: Sample[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const HELP = new RegExp(`^# HELP (${NAME}) (.+)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? ([+-]?(?:\\d.*|Inf)|NaN)$`);
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

/**
 * Parses every line of Prometheus' text format, and throws for an invalid one.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function readExposition(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, Family>();
  let help: [name: string, text: string] = ["", ""];
  let family: Family | undefined;
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const [, helped, words = ""] = HELP.exec(line) ?? [];
    const [, typed, type = ""] = TYPE.exec(line) ?? [];
    if (helped !== undefined) help = [helped, words];
    else if (typed === undefined) addSample(readSample(line), family);
    else {
      if (help[0] !== typed) throw new Error(`no help before the type of ${typed}`);
      if (families.has(typed)) throw new Error(`${typed} is there twice`);
      family = { name: typed, type, help: help[1], samples: [] };
      families.set(typed, family);
    }
  }
  return families;
}

function addSample(sample: Sample, family: Family | undefined): void {
  if (!family || !namesOf(family).includes(sample.name)) throw new Error(`${sample.name} has no type`);
  const key = JSON.stringify([sample.name, sample.labels]);
  const isThere = family.samples.some(({ name, labels }) => JSON.stringify([name, labels]) === key);
  if (isThere) throw new Error(`${key} is there twice`);
  family.samples.push(sample);
}

/** Returns the names that the samples of a family may have. */
export function namesOf({ name, type }: Pick<Family, "name" | "type">): string[] {
  return type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}

function readSample(line: string): Sample {
  const [, name = "", inner = "", number = ""] = SAMPLE.exec(line) ?? [];
  if (name === "") throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  let rest = inner;
  while (rest !== "") {
    const [whole, label = "", text = ""] = LABEL.exec(rest) ?? [];
    if (whole === undefined || label in labels) throw new Error(`labels are malformed: ${line}`);
    labels[label] = JSON.parse(`"${text}"`);
    rest = rest.slice(whole.length);
  }
  const value = Number(number.replace("Inf", "Infinity"));
  if (Number.isNaN(value)) throw new Error(`not a number: ${line}`);
  return { name, labels, value };
}

/** Returns the value of the one sample with these labels; 0 without such a sample. */
export function sampleValue(
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number {
  const all = [...families.values()].flatMap(({ samples }) => samples);
  const found = all.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, text]) => sample.labels[label] === text),
  );
  if (found.length > 1) throw new Error(`${name} has ${found.length} samples with these labels`);
  return found[0]?.value ?? 0;
}
