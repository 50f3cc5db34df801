import type { Row } from "./rows.ts";
import { type Context, Skipped } from "./scenario.ts";

/** The metrics of rows that say why something has no results. */
export const SKIPPED = "skipped";
export const FAILED = "failed";

/**
 * Runs a part of the bench. If it cannot be measured or fails, resolves with a row that says so, as a long run must
 * not lose what it has measured. Everything that the part started is stopped.
 */
export async function attempt(
  { workshop, progress }: Context,
  scenario: string,
  run: () => Promise<Row[]>,
): Promise<Row[]> {
  try {
    return await run();
  } catch (error) {
    const metric = error instanceof Skipped ? SKIPPED : FAILED;
    const note = (error as Error).message;
    progress(`${metric}: ${note}`);
    return [{ scenario, metric, unit: "", value: Number.NaN, note }];
  } finally {
    await workshop.stopTargets();
    await workshop.agents.carryOut({ do: "close" });
  }
}
