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

/** Changes that are more recent may not have been reported before the node was lost that reported them. */
const UNSURE_MS = 20_000;

interface Report {
  problem: Problem;
  /** When it was reported, in milliseconds since 1970. */
  at: number;
  /** The receiver may not have got the report. */
  isUnsure?: boolean;
}

/** Knows what the receiver knows, and finds the difference. Nothing piles up. */
export class Reported {
  readonly #reported = new Map<string, Report>();
  /** Problems whose end was reported lately. */
  #ended: (Report & { endedAt: number })[] = [];

  /**
   * Returns the changes. A problem that has become a part of a group, or was one, is not over: the group, or what is left
   * of it, goes on.
   */
  changes(problems: readonly Problem[], severityMin: Severity): Change[] {
    const now = new Map(problems.map((problem) => [idOf(problem), problem]));
    const begun = this.#concerning(problems, severityMin).flatMap((problem): Change | [] => {
      const known = this.#reported.get(idOf(problem));
      if (known && !known.isUnsure) return isWorse(problem, known.problem) ? { event: "worse", problem } : [];
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

  /** Returns how many of the problems the receiver hears of. */
  countOf(problems: readonly Problem[], severityMin: Severity): number {
    return this.#concerning(problems, severityMin).length;
  }

  /** The receiver knows these problems now, which includes that all others are over. */
  note(problems: readonly Problem[], severityMin: Severity, now: number): void {
    const before = new Map(this.#reported);
    this.#reported.clear();
    for (const problem of this.#concerning(problems, severityMin, before)) {
      const known = before.get(idOf(problem));
      // Worse means worse than in the last report.
      const isNews = !known || known.isUnsure || isWorse(problem, known.problem);
      this.#reported.set(idOf(problem), isNews ? { problem, at: now } : known);
    }
    const ended = [...before].filter(([id]) => !this.#reported.has(id));
    this.#ended = [
      ...this.#ended.filter(({ endedAt }) => now - endedAt < UNSURE_MS),
      ...ended.map(([, report]) => ({ ...report, endedAt: now })),
    ];
  }

  /** Another node reported what was noted, and may have been lost before it had reported the last changes. */
  takeOver(now: number): void {
    const since = now - UNSURE_MS;
    for (const report of this.#reported.values()) report.isUnsure ||= report.at >= since;
    for (const { problem, at, endedAt } of this.#ended) {
      // Nobody needs to hear of one that has begun and ended since.
      if (endedAt >= since && at < since) this.#doubt(problem, at);
    }
    this.#ended = [];
  }

  /** The message about these changes did not arrive, as far as is known. They are changes again. */
  undo(changes: readonly Change[]): void {
    for (const { problem } of changes) {
      const known = this.#reported.get(idOf(problem));
      if (known) known.isUnsure = true;
      else this.#doubt(problem, 0);
    }
  }

  clear(): void {
    this.#reported.clear();
    this.#ended = [];
  }

  #doubt(problem: Problem, at: number): void {
    const id = idOf(problem);
    if (!this.#reported.has(id)) this.#reported.set(id, { problem, at, isUnsure: true });
  }

  /** Returns those that are severe enough, or were when they were reported. */
  #concerning(
    problems: readonly Problem[],
    severityMin: Severity,
    reported: ReadonlyMap<string, Report> = this.#reported,
  ): Problem[] {
    return problems.filter(
      (problem) => compareSeverity(problem.severity, severityMin) <= 0 || reported.has(idOf(problem)),
    );
  }

  #has(code: Problem["code"], test: (problem: Problem) => boolean): boolean {
    return [...this.#reported.values()].some(({ problem }) => problem.code === code && test(problem));
  }
}

function isWorse(problem: Problem, known: Problem): boolean {
  if (compareSeverity(problem.severity, known.severity) < 0) return true;
  return isGroup(problem) && weightOf(problem) >= GROWTH * weightOf(known);
}
