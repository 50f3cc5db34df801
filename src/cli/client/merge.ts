/** A change that `merge` makes to a part of a configuration. Anything else that is wanted is set as it is. */
class Wish {
  readonly apply: (current: unknown) => unknown;
  constructor(apply: (current: unknown) => unknown) {
    this.apply = apply;
  }
}

/** An object of a configuration. */
export type Fields = Record<string, unknown>;

/** The configuration does not have the form that its program reads. `at` names the part, such as `models`. */
export class WrongShape extends Error {
  readonly at: string;
  constructor(at: string) {
    super(`wrong shape at ${at}`);
    this.at = at;
  }
}

/** Leaves a value as it is, and sets one that is absent. */
export function orElse(value: unknown): Wish {
  return new Wish((current) => current ?? value);
}

/** Removes a key. */
export function absent(): Wish {
  return new Wish(() => undefined);
}

/** Merges each item into the one of the list that has the same value in `key`, or appends it. */
export function items(key: string, wanted: readonly Fields[]): Wish {
  return new Wish((current) => {
    if (current !== undefined && current !== null && !Array.isArray(current)) throw new WrongShape("");
    const list: unknown[] = [...(current ?? [])];
    for (const item of wanted) {
      const at = list.findIndex((each) => isFields(each) && each[key] === item[key]);
      list.splice(at < 0 ? list.length : at, 1, merge(list[at], item));
    }
    return list;
  });
}

/**
 * Returns the configuration with what is wanted, and everything else as it was. Changes neither. Throws
 * `WrongShape` where an object or a list is wanted and something else is there.
 */
export function merge(current: unknown, wanted: unknown): unknown {
  if (wanted instanceof Wish) return wanted.apply(current);
  if (!isFields(wanted)) return wanted;
  if (current !== undefined && current !== null && !isFields(current)) throw new WrongShape("");
  const merged: Fields = { ...current };
  for (const [key, wish] of Object.entries(wanted)) {
    const value = within(key, () => merge(merged[key], wish));
    if (value === undefined) delete merged[key];
    else merged[key] = value;
  }
  return merged;
}

function within<T>(key: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof WrongShape)) throw error;
    throw new WrongShape(error.at === "" ? key : `${key}.${error.at}`);
  }
}

/** A value at a path of keys and positions. Undefined removes the key. */
export interface Change {
  path: (string | number)[];
  value: unknown;
  /** Whether the value is a further item of a list. */
  isItem: boolean;
}

/** Returns the smallest changes that make the one value the other. Lists only grow at their end. */
export function changesBetween(
  before: unknown,
  after: unknown,
  path: (string | number)[] = [],
  isItem = false,
): Change[] {
  if (isFields(before) && isFields(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => changesBetween(before[key], after[key], [...path, key]));
  }
  if (Array.isArray(before) && Array.isArray(after) && after.length >= before.length)
    return after.flatMap((item, at) => changesBetween(before[at], item, [...path, at], at >= before.length));
  return before === after ? [] : [{ path, value: after, isItem }];
}

export function isFields(value: unknown): value is Fields {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !(value instanceof Wish)
  );
}
