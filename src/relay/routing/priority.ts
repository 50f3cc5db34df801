/** The classes of asks, highest first. */
export const PRIORITIES = ["high", "normal", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

/** How many turns an ask of a class has in the queue for one of the class `low`. */
export const TURNS: Readonly<Record<Priority, number>> = { high: 8, normal: 4, low: 1 };

/** Returns the lower one of two classes. */
export function lowerOf(one: Priority, other: Priority): Priority {
  return PRIORITIES.indexOf(one) > PRIORITIES.indexOf(other) ? one : other;
}
