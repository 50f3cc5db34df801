import type { SettingName } from "./settings.ts";

/** A text to be read, and where it was found: "--port", "PORT", "second argument". */
export interface Given {
  text: string;
  from: string;
}

/** What was found so far, and all that is wrong with it: an operator sees every fault at once. */
export interface Reading {
  given: Map<SettingName, Given>;
  faults: string[];
  /** Settings with a fault, which need no second one. */
  faulty: Set<SettingName>;
}

export function startReading(): Reading {
  return { given: new Map(), faults: [], faulty: new Set() };
}

export function addFault({ faults, faulty }: Reading, name: SettingName, message: string): void {
  if (!faulty.has(name)) faults.push(message);
  faulty.add(name);
}
