import { type LiveSample, SAMPLE_FIELDS, type SampleField } from "./schema.ts";

type Values = Omit<LiveSample, "at">;
type Lists = { [Field in SampleField]: Values[Field][] };

/** The samples of the last seconds, in arrays that were allocated once. */
export interface Samples {
  add(values: Values): void;
  /** How many there are. */
  readonly length: number;
  /** Each field's, the oldest first. */
  lists(): Lists;
}

export function createSamples(lengthMax: number): Samples {
  const rings = new Map(SAMPLE_FIELDS.map((field) => [field, new Float64Array(lengthMax)] as const));
  let added = 0;
  const list = (ring: Float64Array) => {
    const length = Math.min(added, lengthMax);
    const first = added - length;
    // What there was nothing to measure for is no number there.
    return Array.from({ length }, (_, index) => numberOrNull(ring[(first + index) % lengthMax]));
  };
  return {
    add(values) {
      for (const [field, ring] of rings) ring[added % lengthMax] = values[field] ?? Number.NaN;
      added++;
    },
    get length() {
      return Math.min(added, lengthMax);
    },
    lists: () => Object.fromEntries([...rings].map(([field, ring]) => [field, list(ring)])) as Lists,
  };
}

function numberOrNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
