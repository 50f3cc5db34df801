import { describe, expect, test } from "bun:test";
import { readSettings } from "../../src/config/read.ts";
import { CommandError } from "../../src/errors.ts";

type Env = Record<string, string>;

function faultsOf(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(CommandError);
    expect((error as CommandError).exitCode).toBe(2);
    return (error as CommandError).message.split("\n");
  }
  return [];
}

describe("some settings only", () => {
  const some = (args: readonly string[], env: Env = {}) => readSettings({ args, env }, ["data", "port"]);

  test("are read as all are, and the arguments are left to the command", () => {
    expect(
      some(["import", "--data=d", "auth.db", "--", "--x"], { PORT: "7", CHATGPT_API_DRAIN: "bad" }),
    ).toEqual({
      settings: { data: "d", port: 7 },
      positionals: ["import", "auth.db", "--x"],
    });
  });

  test("have no room for flags of other settings", () => {
    expect(faultsOf(() => some(["--drain", "1s", "--dta", "d", "x"], { PORT: "no" }))).toEqual([
      "unknown flag --drain: leave it out",
      "unknown flag --dta: did you mean --data?",
      'PORT "no": give a port from 0 to 65535',
    ]);
  });
});
