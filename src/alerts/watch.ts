import type { Problem, ProblemCode } from "../protocol/node/problems.ts";
import { type Finding, idOf } from "./finding.ts";

/**
 * The time for which something must be wrong until it is a problem, and the time for which it must be gone until the
 * problem is over. Otherwise, a fault that comes and goes would be reported again and again.
 */
interface Delays {
  appearMs: number;
  overMs: number;
}

const DEFAULT: Delays = { appearMs: 10_000, overMs: 15_000 };
const AT_ONCE: Delays = { appearMs: 0, overMs: 0 };

const DELAYS: Partial<Record<ProblemCode, Delays>> = {
  // Agents need a moment after a start, and after a network was away.
  no_agent: { appearMs: 60_000, overMs: 10_000 },
  // The finders of these wait themselves.
  requests_waiting: { appearMs: 0, overMs: 15_000 },
  agent_missing: { appearMs: 0, overMs: 60_000 },
  model_missing: AT_ONCE,
  users_limited: AT_ONCE,
  certificate: AT_ONCE,
  admin_key_weak: AT_ONCE,
  webhook_failing: AT_ONCE,
  clock_differs: { appearMs: 0, overMs: 60_000 },
  queue_filling: { appearMs: 5_000, overMs: 30_000 },
  database_away: { appearMs: 10_000, overMs: 30_000 },
  disk_low: { appearMs: 0, overMs: 120_000 },
};

/** A fault that is not a problem yet is forgotten after this time without it. */
const FORGOTTEN_MS = 3_000;
/** The number of faults that are tracked. Further ones are not noticed. */
const WATCHED_MAX = 20_000;

interface Watched {
  problem: Problem;
  /** When it was first found, and last. */
  firstAt: number;
  lastAt: number;
  isShown: boolean;
}

/** Turns what is found wrong each second into problems that begin and end. */
export class Watch {
  readonly #watched = new Map<string, Watched>();

  /** Takes everything that is wrong now. Returns the problems, also those that are about to be over. */
  update(findings: Iterable<Finding>, now: number): Problem[] {
    for (const finding of findings) this.#note(finding, now);
    const problems: Problem[] = [];
    for (const [id, watched] of this.#watched) {
      const { appearMs, overMs } = DELAYS[watched.problem.code] ?? DEFAULT;
      const goneMs = now - watched.lastAt;
      const isOver = goneMs > 0 && goneMs >= (watched.isShown ? overMs : FORGOTTEN_MS);
      if (isOver) this.#watched.delete(id);
      else {
        const from = Math.min(watched.firstAt, watched.problem.since);
        watched.isShown ||= goneMs === 0 && now - from >= appearMs;
        if (watched.isShown) problems.push(watched.problem);
      }
    }
    return problems;
  }

  #note(finding: Finding, now: number): void {
    const id = idOf(finding);
    const before = this.#watched.get(id);
    // What was not a problem yet begins anew after a pause, such as the sleep of a machine.
    const isPaused = before && !before.isShown && now - before.lastAt > FORGOTTEN_MS;
    const known = isPaused ? undefined : before;
    if (!before && this.#watched.size >= WATCHED_MAX) return;
    const firstAt = known?.firstAt ?? now;
    const { code, subject, severity, details } = finding;
    // A problem that was not over goes on, whatever the finding says.
    const since = Math.min(finding.since ?? firstAt, known?.problem.since ?? Number.POSITIVE_INFINITY);
    this.#watched.set(id, {
      problem: { code, subject, severity, since, details },
      ...{ firstAt, lastAt: now, isShown: known?.isShown ?? false },
    });
  }
}
