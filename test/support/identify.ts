import { expect } from "bun:test";
import type { Caller, Callers } from "../../src/auth/callers.ts";

/** Identifies a caller. Fails if somebody else is recalled by the same headers, or if a refused caller is. */
export async function identify(callers: Callers, headers: Record<string, string>): Promise<Caller> {
  const given = new Headers(headers);
  const recalled = callers.recall(given);
  const identified = await callers.identify(given).catch((error) => {
    expect(recalled).toBeUndefined();
    throw error;
  });
  if (recalled) expect(recalled).toBe(identified);
  return identified;
}
