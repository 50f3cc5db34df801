import { expect } from "bun:test";
import { CommandError } from "../../src/errors.ts";

/** Runs what reads a command line, and returns the lines that say what is wrong with it: none if it is right. */
export function faultsOf(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(CommandError);
    expect((error as CommandError).exitCode).toBe(2);
    return (error as CommandError).message.split("\n");
  }
  return [];
}
