/** Tells where an ask is between its arrival and its outcome. */
export type AskState = "new" | "waiting" | "sent" | "settled";

/** The transitions. An ask whose try failed stays sent until it is sent again, waits, or is settled. */
const NEXT: Record<AskState, readonly AskState[]> = {
  new: ["waiting", "sent", "settled"],
  waiting: ["sent", "settled"],
  sent: ["waiting", "sent", "settled"],
  settled: [],
};

/** Throws if an ask may not go from one state to the other. */
export function checkChange(from: AskState, to: AskState): void {
  if (!NEXT[from].includes(to)) throw new Error(`an ask went from ${from} to ${to}`);
}
