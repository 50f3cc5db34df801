import type { Problem, Severity } from "../../protocol/node/problems.ts";
import { compareSeverity, idOf } from "../finding.ts";
import { isGroup, weightOf } from "../merge.ts";

/** A change since the last message. */
export interface Change {
  event: "started" | "worse" | "ended";
  problem: Problem;
}

/** A group is reported again when it has grown by this factor. */
const GROWTH = 2;

/** Knows what the receiver knows, and finds the difference. Nothing piles up. */
export class Reported {
  /** The problems as they were reported, and when, in milliseconds since 1970. */
  readonly #reported = new Map<string, { problem: Problem; at: number }>();

  /**
   * Returns the changes. A problem that has become a part of a group, or was one, is not over: the group, or what is left
   * of it, goes on.
   */
  changes(problems: readonly Problem[], severityMin: Severity): Change[] {
    const counted = problems.filter(({ severity }) => compareSeverity(severity, severityMin) <= 0);
    const now = new Map(problems.map((problem) => [idOf(problem), problem]));
    const begun = counted.flatMap((problem): Change | [] => {
      const known = this.#reported.get(idOf(problem))?.problem;
      if (known) return isWorse(problem, known) ? { event: "worse", problem } : [];
      const isPart = !isGroup(problem) && this.#has(problem.code, isGroup);
      return isPart ? [] : { event: "started", problem };
    });
    const ended = [...this.#reported.values()].flatMap(({ problem }): Change | [] => {
      if (now.has(idOf(problem))) return [];
      const goesOn = (other: Problem) => other.code === problem.code && (isGroup(problem) || isGroup(other));
      return problems.some(goesOn) ? [] : { event: "ended", problem };
    });
    return [...begun, ...ended];
  }

  /** The receiver knows these problems now, which includes that all others are over. */
  note(problems: readonly Problem[], severityMin: Severity, now: number): void {
    const before = new Map(this.#reported);
    this.#reported.clear();
    for (const problem of problems) {
      const known = before.get(idOf(problem));
      if (!known && compareSeverity(problem.severity, severityMin) > 0) continue;
      // Worse means worse than in the last report.
      const isNews = !known || isWorse(problem, known.problem);
      this.#reported.set(idOf(problem), isNews ? { problem, at: now } : known);
    }
  }

  /** The receiver may not know what was noted at this time or later. */
  forgetSince(since: number): void {
    for (const [id, { at }] of this.#reported) if (at >= since) this.#reported.delete(id);
  }

  clear(): void {
    this.#reported.clear();
  }

  #has(code: Problem["code"], test: (problem: Problem) => boolean): boolean {
    return [...this.#reported.values()].some(({ problem }) => problem.code === code && test(problem));
  }
}

function isWorse(problem: Problem, known: Problem): boolean {
  if (compareSeverity(problem.severity, known.severity) < 0) return true;
  return isGroup(problem) && weightOf(problem) >= GROWTH * weightOf(known);
}
