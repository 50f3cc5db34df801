import { describe, expect, test } from "bun:test";
import { readArgs } from "../../src/cli/args.ts";
import { faultsOf } from "../support/command-faults.ts";

type Env = Record<string, string>;

describe("a command with some of the settings", () => {
  const some = (args: readonly string[], env: Env = {}) =>
    readArgs({ args, env }, { settings: ["data", "port"], flags: {} });

  test("a command gets its settings and its positional arguments", () => {
    expect(
      some(["import", "--data=d", "auth.db", "--", "--x"], { PORT: "7", CHATGPT_API_DRAIN: "bad" }),
    ).toEqual({
      settings: { data: "d", port: 7 },
      flags: {},
      positionals: ["import", "auth.db", "--x"],
    });
  });

  test("a command refuses the flags of other settings", () => {
    expect(faultsOf(() => some(["--drain", "1s", "--dta", "d", "x"], { PORT: "no" }))).toEqual([
      "Unknown flag --drain. Leave it out.",
      "Unknown flag --dta. Did you mean --data?",
      'PORT "no" is not valid. Give a port from 0 to 65535.',
    ]);
  });
});

describe("a command with flags of its own", () => {
  const FLAGS = {
    json: { help: "" },
    grace: { value: "<time>", help: "" },
    models: { value: "<models>", help: "", many: true },
  } as const;
  const own = (...args: string[]) => readArgs({ args, env: {} }, { settings: ["data"], flags: FLAGS });

  test("a switch is off and other flags have no text until they are given", () => {
    expect(own("a").flags).toEqual({ json: false, grace: undefined, models: undefined });
  });

  test("flags may stand anywhere before --, with their value after a blank or an equals sign", () => {
    expect(own("--json", "a", "--grace", "-5", "--models=m", "b", "--models", "n, o")).toMatchObject({
      flags: { json: true, grace: "-5", models: "m,n, o" },
      positionals: ["a", "b"],
    });
    expect(own("--", "--json")).toMatchObject({ flags: { json: false }, positionals: ["--json"] });
  });

  test.each<[string, string[], string]>([
    ["a switch has a value", ["--json=yes"], "--json takes no value. Leave it out."],
    ["a value is missing", ["--grace"], "--grace has no value. Add one."],
    ["the next flag stands in the value's place", ["--grace", "--json"], "--grace has no value. Add one."],
    ["a flag is given twice", ["--grace=1", "--grace=2"], "--grace is given twice. Give it once."],
    ["a flag is misspelled", ["--grcae", "1"], "Unknown flag --grcae. Did you mean --grace?"],
    ["a flag is that of another command", ["--queue-max=1"], "Unknown flag --queue-max. Leave it out."],
  ])("the arguments are refused if %s", (_, args, fault) => {
    expect(faultsOf(() => own(...args))).toEqual([fault]);
  });
});
