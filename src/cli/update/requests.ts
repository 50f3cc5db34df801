import { writeFileSync } from "node:fs";
import type { Cancel, Clock } from "../../clock.ts";
import type { Config } from "../../config/settings.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../durations.ts";
import type { Log } from "../../log/log.ts";
import { causeOf } from "../../log/log.ts";
import { PROGRAM } from "../version.ts";

interface Options {
  settings: Pick<Config, "autoUpdate" | "updateRequest">;
  log: Log;
  clock: Clock;
  /** Returns 0 to 1, for the time of day. */
  random?: () => number;
}

/** The requests of this process to be updated by the job that was installed with its service. */
export interface UpdateRequests {
  /** Asks for an update. Undefined if there is no such job. Does nothing if it was called a short time ago. */
  ask: ((by: "server" | "schedule") => void) | undefined;
  /** Ends the daily requests. */
  stop: Cancel;
}

/** A server that asks again and again must not keep the machine busy. */
const ASK_EVERY_MS = 10 * MINUTE_MS;
/** Not at once, as a version that does not work well would otherwise be replaced at every start. */
const FIRST_MS = HOUR_MS;
/** Spreads the requests of many machines, which may all have started together. */
const SPREAD_MS = 4 * HOUR_MS;

/** Begins to ask for an update once a day, if `--auto-update` is set and the service can be updated. */
export function createUpdateRequests({
  settings,
  log,
  clock,
  random = Math.random,
}: Options): UpdateRequests {
  const { autoUpdate, updateRequest: file } = settings;
  let askedAt = Number.NEGATIVE_INFINITY;
  let stop: Cancel = () => {};
  const ask = (path: string, by: "server" | "schedule") => {
    if (clock.now() - askedAt < ASK_EVERY_MS) return;
    askedAt = clock.now();
    try {
      writeFileSync(path, "", { mode: 0o600 });
      log.info("update_requested", { by });
    } catch (error) {
      log.warn("update_request_failed", { by, cause: causeOf(error) });
    }
  };
  const askDaily = (path: string, delayMs: number) => {
    stop = clock.after(delayMs + Math.round(random() * SPREAD_MS), () => {
      askDaily(path, DAY_MS - SPREAD_MS / 2);
      ask(path, "schedule");
    });
  };
  if (autoUpdate && file !== undefined) askDaily(file, FIRST_MS);
  return { ask: file === undefined ? undefined : (by) => ask(file, by), stop: () => stop() };
}

/** Returns a warning about a setting that has no effect, as only an installed service can be updated. */
export function updateWarning(
  kind: "serve" | "agent",
  flag: "--auto-update" | "--allow-update",
  settings: Pick<Config, "updateRequest">,
): string | undefined {
  if (settings.updateRequest !== undefined) return undefined;
  return `${flag} has no effect here: only a service that ${PROGRAM} ${kind} install has installed updates itself.`;
}
