import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../durations.ts";
import { AppError } from "../../errors.ts";
import type { TrafficKind, TrafficStore } from "../../store/store.ts";
import { endOf } from "../usage/query-fields.ts";
import type { TrafficMeter } from "./meter.ts";

export interface StepsDeps {
  traffic: Pick<TrafficStore, "read">;
  meter: Pick<TrafficMeter, "write">;
}

/** Dates, or times in RFC 3339. */
interface PeriodQuery {
  from?: string | undefined;
  to?: string | undefined;
}

/** Reads the steps of every name. Whole hours take the place of their minutes, of which there would be many. */
export async function readGroups({ traffic, meter }: StepsDeps, kind: TrafficKind, period: Period) {
  const { from, to, stepMs } = period;
  const hour = Math.ceil(from / HOUR_MS) * HOUR_MS;
  if (stepMs !== MINUTE_MS || hour >= to) return traffic.read({ stepMs, from, to, kind });
  meter.write(HOUR_MS);
  return [
    ...(await traffic.read({ stepMs, from, to: hour, kind })),
    ...(await traffic.read({ stepMs: HOUR_MS, from: hour, to, kind })),
  ];
}

/** The lengths of a step that people know. */
const STEPS_MS = [1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_MS);
const HOUR_STEPS_MS = [1, 2, 3, 6, 12, 24].map((hours) => hours * HOUR_MS);
const STEPS_MAX = 200;
const PERIOD_MAX_MS = 400 * DAY_MS;

/** Returns the period in whole steps, and the length of the steps that are read for it. */
export function periodOf({ from, to }: PeriodQuery, now: number) {
  const end = Math.min(to === undefined ? now : endOf(to), now);
  const start = Math.max(from === undefined ? end - HOUR_MS : Date.parse(from), end - PERIOD_MAX_MS);
  if (start >= end)
    throw new AppError("request_invalid", {
      param: "to",
      hint: "`to` must be after `from`, and `from` must be in the past.",
    });
  const areMinutes = now - start <= DAY_MS + MINUTE_MS;
  const lengths = areMinutes ? STEPS_MS : HOUR_STEPS_MS;
  const everyMs = lengths.find((ms) => (end - start) / ms <= STEPS_MAX) ?? DAY_MS;
  return {
    from: Math.floor(start / everyMs) * everyMs,
    to: Math.ceil(end / everyMs) * everyMs,
    everyMs,
    stepMs: areMinutes ? MINUTE_MS : HOUR_MS,
  };
}

export type Period = ReturnType<typeof periodOf>;
