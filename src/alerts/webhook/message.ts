import type { Problem, Severity } from "../../protocol/node/problems.ts";
import { idOf, worstOf } from "../finding.ts";
import { describeEnd, describeProblem } from "../sentences.ts";
import type { Change } from "./changes.ts";

/** One line of a message: a problem that began, has become worse, or is over. */
export interface MessageLine {
  event: Change["event"];
  id: string;
  code: Problem["code"];
  severity: Severity;
  /** Milliseconds since 1970. */
  since: number;
  message: string;
  /** The advice; undefined for a problem that is over. */
  hint: string | undefined;
  details: Problem["details"];
}

/** A report for the receiver. A message that is sent again has the same id. */
export interface Message {
  id: string;
  kind: "problems" | "test";
  /** When it was made, in milliseconds since 1970. */
  at: number;
  title: string;
  /** The worst of what has begun; undefined if all of it is over. */
  severity: Severity | undefined;
  lines: readonly MessageLine[];
  /** How many changes are left out, as there are too many. */
  more: number;
  /** How many problems there are now. */
  open: number;
  server: { name: string; version: string; url: string | undefined };
}

const LINES_MAX = 20;

interface MessageParts {
  id: string;
  at: number;
  open: number;
  server: Message["server"];
}

/** Returns the message about some changes. */
export function messageOf(changes: readonly Change[], { id, at, open, server }: MessageParts): Message {
  const lines = changes.slice(0, LINES_MAX).map(({ event, problem }): MessageLine => {
    const { code, severity, since, details } = problem;
    const words =
      event === "ended"
        ? { message: describeEnd(problem, at), hint: undefined }
        : describeProblem(problem, at);
    return { event, id: idOf(problem), code, severity, since, ...words, details };
  });
  const begun = changes.filter(({ event }) => event !== "ended");
  return {
    ...{ id, kind: "problems", at, open, server, lines, more: changes.length - lines.length },
    title: titleOf(begun.length, changes.length - begun.length, open, server.name),
    severity: begun.length > 0 ? worstOf(begun.map(({ problem }) => problem.severity)) : undefined,
  };
}

/** Returns a message that shows whether the receiver takes messages. */
export function testMessage({ id, at, open, server }: MessageParts): Message {
  return {
    ...{ id, kind: "test", at, open, server, lines: [], more: 0, severity: "info" },
    title: `Test message of ${server.name}`,
  };
}

function titleOf(begun: number, ended: number, open: number, server: string): string {
  const problems = (count: number) => `${count} problem${count === 1 ? "" : "s"}`;
  if (begun === 0 && open === 0) return `All is well again: ${server}`;
  if (begun === 0) return `${problems(ended)} solved, ${open} left: ${server}`;
  return `${problems(begun)}${ended > 0 ? `, ${ended} solved` : ""}: ${server}`;
}
