import { type LiveSample, SAMPLE_FIELDS, type SampleField } from "./schema.ts";

type Values = Omit<LiveSample, "at">;
type Lists = { [Field in SampleField]: Values[Field][] };

/** The samples of the last seconds, in arrays that are allocated once. */
export interface SampleHistory {
  add(values: Values): void;
  readonly length: number;
  /** Returns a list for each field, the oldest value first. */
  lists(): Lists;
}

export function createSampleHistory(lengthMax: number): SampleHistory {
  const rings = new Map(SAMPLE_FIELDS.map((field) => [field, new Float64Array(lengthMax)] as const));
  let added = 0;
  const list = (ring: Float64Array) => {
    const length = Math.min(added, lengthMax);
    const first = added - length;
    return Array.from({ length }, (_, index) => numberOrNull(ring[(first + index) % lengthMax]));
  };
  return {
    add(values) {
      // A second without a measurement is stored as NaN.
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
