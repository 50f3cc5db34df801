import { type CallerEntry, FAULTS, type FaultEntry, type Logs, PIECES } from "./logs.ts";

/** Something that a cluster must never do. */
export interface Violation {
  rule:
    | "wrong answer"
    | "broken answer"
    | "two ends"
    | "lost"
    | "failed needlessly"
    | "broke off needlessly"
    | "executed twice"
    | "left over";
  /** The ask, or the node with something left over. */
  of: string;
  detail: string;
}

/** How long a fault may show its effects after its end: others notice a lost node after 5 s. */
const EFFECT_MS = 8_000;

/** Compares what callers saw with what agents did, and returns everything that must not happen. */
export function check(logs: Logs): Violation[] {
  const violations = logs.callers.flatMap((entry) => checkEntry(entry, logs));
  violations.push(...checkExecutions(logs));
  for (const { node, what, count } of logs.leftovers)
    violations.push({ rule: "left over", of: node, detail: `${count} ${what}` });
  return violations;
}

export type Outcome = "answered" | "failed" | "broke off" | "lost";

/** Returns how a request ended for its caller. `failed` is before the first byte, `broke off` after it. */
export function outcomeOf({ endedAt, status, ends, error, isCut }: CallerEntry): Outcome {
  if (endedAt === undefined) return "lost";
  if (status === 200 && ends > 0 && error === undefined && !isCut) return "answered";
  // The head of a response leaves a node with the first event. A client may lose that when the connection breaks.
  return status === 200 ? "broke off" : "failed";
}

type Found = Pick<Violation, "rule" | "detail"> | undefined;

function checkEntry(entry: CallerEntry, logs: Logs): Violation[] {
  const found: Found[] = [checkText(entry), checkEnds(entry), checkOutcome(entry, logs)];
  return found.flatMap((one) => (one ? { ...one, of: entry.ask } : []));
}

function checkText(entry: CallerEntry): Found {
  const pieces = piecesIn(entry.text);
  const stranger = pieces.find(({ ask }) => ask !== entry.ask);
  if (stranger) return { rule: "wrong answer", detail: `it got a piece of ${stranger.ask}` };
  if (pieces.some(({ index }, place) => index !== place))
    return { rule: "broken answer", detail: `it got ${entry.text}` };
  if (outcomeOf(entry) === "answered" && pieces.length !== PIECES)
    return { rule: "broken answer", detail: `it got ${pieces.length} of ${PIECES} pieces` };
  return undefined;
}

function checkEnds({ ends, error, isCut }: CallerEntry): Found {
  const hasOtherEnd = error !== undefined || isCut;
  if (ends < 2 && !(ends === 1 && hasOtherEnd)) return undefined;
  return { rule: "two ends", detail: `${ends} ends, ${error ?? (isCut ? "then cut" : "no error")}` };
}

function checkOutcome(entry: CallerEntry, logs: Logs): Found {
  const { status, error } = entry;
  switch (outcomeOf(entry)) {
    case "answered":
      return undefined;
    case "lost":
      return { rule: "lost", detail: `no end, sent to ${nodesOf(entry)}` };
    case "failed":
      if (!mustHaveBeenServed(entry, logs) || isLostByAgent(entry, logs)) return undefined;
      return { rule: "failed needlessly", detail: `${status}, sent to ${nodesOf(entry)}: ${error}` };
    case "broke off":
      if (faultsDuring(logs, entry).some(({ kind }) => FAULTS[kind].breaksStreams)) return undefined;
      return { rule: "broke off needlessly", detail: `at ${nodesOf(entry)}: ${error ?? "cut"}` };
  }
}

/** Whether a node was there for all of the ask's life, which could have served it. */
function mustHaveBeenServed(entry: CallerEntry, { nodes, faults }: Logs): boolean {
  const away = new Set(overlapping(faults, entry, 0).flatMap((fault) => fault.nodes));
  return nodes.some((node) => !away.has(node));
}

/** Whether an agent was lost after `accept`: from there on, another try could do the work twice. */
const isLostByAgent = ({ ask }: CallerEntry, { agents }: Logs) =>
  agents.some((begun) => begun.ask === ask && begun.isAccepted && begun.isDropped);

function checkExecutions(logs: Logs): Violation[] {
  const times = new Map<string, number[]>();
  for (const { ask, at } of logs.agents) times.set(ask, [...(times.get(ask) ?? []), at]);
  const repeated = [...times].filter(([, list]) => list.length > 1);
  return repeated.flatMap(([ask, list]) => {
    const life = { beganAt: Math.min(...list), endedAt: Math.max(...list) };
    if (faultsDuring(logs, life).some(({ kind }) => FAULTS[kind].breaksStreams)) return [];
    return { rule: "executed twice" as const, of: ask, detail: `${list.length} times without a fault` };
  });
}

/** Returns the faults that may have had an effect on an ask. */
const faultsDuring = ({ faults }: Logs, life: Life) => overlapping(faults, life, EFFECT_MS);

type Life = Pick<CallerEntry, "beganAt" | "endedAt">;

function overlapping(faults: readonly FaultEntry[], { beganAt, endedAt = beganAt }: Life, effectMs: number) {
  return faults.filter(({ from, until }) => from <= endedAt && until + effectMs >= beganAt);
}

const nodesOf = ({ sendings }: CallerEntry) =>
  sendings.map(({ node, outcome }) => `${node} (${outcome})`).join(", ");

function piecesIn(text: string): { ask: string; index: number }[] {
  const words = text.split(" ").filter(Boolean);
  return words.map((word) => {
    const dot = word.lastIndexOf(".");
    return { ask: word.slice(0, dot), index: Number(word.slice(dot + 1)) };
  });
}
