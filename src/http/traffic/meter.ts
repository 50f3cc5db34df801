import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../durations.ts";
import { principalName } from "../../principal.ts";
import { type AskRecord, shownModel } from "../../relay/record.ts";
import type { TrafficKind, TrafficStore } from "../../store/store.ts";
import type { Refusal } from "./refusal.ts";
import { type EndedRequest, endedRequest, Tally } from "./tally.ts";

/** How long the steps of a minute and of an hour are kept. */
export const MINUTES_KEPT_MS = DAY_MS + HOUR_MS;
export const HOURS_KEPT_MS = 31 * DAY_MS;

/** The most names of each kind in a step. Further ones are counted together, under the empty name. */
const NAMES_MAX = 100;
/** Callers make these names up. */
const MISSING_NAMES_MAX = 20;
const NAME_LENGTH_MAX = 256;
/** The counts that are not written yet are lost with the process. */
const WRITE_EVERY_MS = 10_000;

export interface TrafficMeterOptions {
  traffic: Pick<TrafficStore, "record">;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Identifies this process. */
  run: string;
  /** Rows of requests are not kept longer, and so neither is what they were counted in. */
  keptMsMax: () => number;
}

export type TrafficMeter = ReturnType<typeof createTrafficMeter>;

/**
 * Counts the requests that end, by minute and by hour: of all, and of each agent, model, user and route. Noting one takes
 * about a microsecond. The rest is done at intervals.
 */
export function createTrafficMeter({ traffic, now, run, keptMsMax }: TrafficMeterOptions) {
  let minute = createStep(now(), MINUTE_MS);
  let hour = createStep(now(), HOUR_MS);
  let writtenAt = now();

  function write({ at, stepMs, tallies }: Step): void {
    const keptMs = Math.min(stepMs === MINUTE_MS ? MINUTES_KEPT_MS : HOURS_KEPT_MS, keptMsMax());
    for (const [kind, names] of tallies)
      for (const [name, tally] of names)
        traffic.record({ stepMs, at, kind, name, run, expiresAt: at + keptMs, data: tally.pack() });
  }

  /** Begins the next minute if it is due. */
  function turn(): void {
    const at = now();
    if (isWithin(minute, at)) return;
    addTo(hour, minute);
    write(minute);
    write(hour);
    minute = createStep(at, MINUTE_MS);
    if (!isWithin(hour, at)) hour = createStep(at, HOUR_MS);
    writtenAt = at;
  }

  /** Returns the hour with the minute that has not ended. */
  function wholeHour(): Step {
    const whole = createStep(hour.at, HOUR_MS);
    addTo(whole, hour);
    addTo(whole, minute);
    return whole;
  }

  return {
    /** Takes a request into account that has just ended. A minute ends with the first `tick` after it. */
    note(record: AskRecord): void {
      const { agent, model } = record;
      const ended = endedRequest(record);
      noteIn(minute, "all", "", ended);
      if (agent !== undefined) noteIn(minute, "agent", agent, ended).label = record.agentName;
      if (model !== undefined) noteIn(minute, "model", model, ended);
      noteIn(minute, "user", principalName(record.principal), ended);
      noteIn(minute, "route", record.surface, ended);
    },
    /** Counts a request that was refused, as no agent has ever offered the model. */
    noteMissing(model: string): void {
      const tally = tallyOf(minute, "missing_model", shownModel(model) ?? "");
      tally.asks++;
      tally.failed++;
    },
    /** Takes a refused request into account. Which agent or model would have had it is not known. */
    noteRefusal({ principal, reason, surface }: Refusal): void {
      tallyOf(minute, "all", "").noteRefusal(reason);
      tallyOf(minute, "user", principalName(principal).slice(0, NAME_LENGTH_MAX)).noteRefusal(reason);
      tallyOf(minute, "route", surface).noteRefusal(reason);
    },
    /** Writes what is due. Call it once a second. */
    tick(): void {
      turn();
      if (now() - writtenAt < WRITE_EVERY_MS) return;
      writtenAt = now();
      write(minute);
    },
    /** Writes what was counted so far in steps of this length, so that a reader sees it. */
    write(stepMs: number): void {
      write(stepMs === MINUTE_MS ? minute : wholeHour());
    },
    /** Writes everything for the last time. */
    stop(): void {
      write(minute);
      write(wholeHour());
    },
  };
}

interface Step {
  at: number;
  stepMs: number;
  tallies: Map<TrafficKind, Map<string, Tally>>;
}

function createStep(now: number, stepMs: number): Step {
  return { at: Math.floor(now / stepMs) * stepMs, stepMs, tallies: new Map() };
}

/** A clock that was set back does not begin a step anew: its requests are in the one that is running. */
const isWithin = ({ at, stepMs }: Step, now: number) => now < at + stepMs;

function noteIn(step: Step, kind: TrafficKind, name: string, ended: EndedRequest): Tally {
  const tally = tallyOf(step, kind, name.slice(0, NAME_LENGTH_MAX));
  tally.note(ended);
  return tally;
}

function tallyOf({ tallies }: Step, kind: TrafficKind, name: string): Tally {
  let names = tallies.get(kind);
  if (!names) {
    names = new Map();
    tallies.set(kind, names);
  }
  const namesMax = kind === "missing_model" ? MISSING_NAMES_MAX : NAMES_MAX;
  const key = names.has(name) || names.size < namesMax ? name : "";
  let tally = names.get(key);
  if (!tally) {
    tally = new Tally();
    names.set(key, tally);
  }
  return tally;
}

function addTo(step: Step, { tallies }: Step): void {
  for (const [kind, names] of tallies)
    for (const [name, tally] of names) tallyOf(step, kind, name).add(tally);
}
