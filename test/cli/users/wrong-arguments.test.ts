import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { users as command } from "../../../src/cli/users.ts";
import { CommandError } from "../../../src/errors.ts";
import { failureOf, tempFolder } from "../../support/store.ts";
import { recordedTerminal } from "../terminal.ts";

describe("wrong arguments", () => {
  for (const [args, message] of [
    [[], "users needs a subcommand. Give one of: add, list"],
    [["lst"], "Unknown command users lst. Did you mean list?"],
    [["constructor"], "Unknown command users constructor."],
    [["show"], "Give one <user> after users show."],
    [["show", ""], "Give one <user> after users show."],
    [["show", "a", "b"], "Give one <user> after users show."],
    [["list", "a"], "Give no argument after users list."],
    [["import"], "Give one <auth.db> after users import."],
    [["set", "a"], "There is nothing to set."],
    [["list", "--nmae", "x"], "Unknown flag --nmae."],
    [["add", "--nmae", "x"], "Unknown flag --nmae. Did you mean --name?"],
    [["show", "a", "--grace", "1m"], "Unknown flag --grace."],
    [["add", "--name"], "--name has no value"],
    [["add", "--json=yes"], "--json takes no value"],
    [["add", "--name", " "], '--name " " is not valid. '],
    [["add", "--max-parallel", "0"], '--max-parallel "0" is not valid. Give a whole number'],
    [
      ["add", "--budget-day", "0"],
      '--budget-day "0" is not valid. Give an amount of the server\'s currency above 0',
    ],
    [["add", "--budget-month", "0.0000001"], '--budget-month "0.0000001" is not valid. Give an amount'],
    [["add", "--budget-month", "1e3"], '--budget-month "1e3" is not valid. Give an amount'],
    [["add", "--max-parallel", "two"], '--max-parallel "two" is not valid. Give a whole number'],
    [["add", "--tokens-per-day", "1e6"], '--tokens-per-day "1e6" is not valid. Give a whole number'],
    [["add", "--priority", "urgent"], '--priority "urgent" is not valid. Give high, normal or low'],
    [["add", "--agent-tags", "at home"], '--agent-tags "at home" is not valid. Give tags of'],
    [["add", "--models", ""], '--models "" is not valid. '],
    [["add", "--models", "a,,b"], '--models "a,,b" is not valid. '],
    [["add", "--expires", "tomorrow"], '--expires "tomorrow" is not valid. Give a time'],
    [["add", "--expires", "2026-02-31"], '--expires "2026-02-31" is not valid. Give a time'],
    [["add", "--expires", "2026-12-31T25:00:00Z"], '--expires "2026-12-31T25:00:00Z" is not valid.'],
    [["add", "--expires", "2026-12-31T00:00:00"], '--expires "2026-12-31T00:00:00" is not valid.'],
    [["add", "--expires", "30x"], '--expires "30x" is not valid. Give a time'],
    [["rotate", "a", "--grace", "-5"], '--grace "-5" is not valid. Give a time'],
    [["rotate", "a", "--grace", "soon"], '--grace "soon" is not valid. Give a time'],
  ] as const) {
    test(`the arguments users ${args.join(" ")} are refused, with exit code 2, and change nothing`, async () => {
      const data = join(tempFolder(), "data");
      const error = (await failureOf(() =>
        command([...args], recordedTerminal({ CHATGPT_API_DATA: data })),
      )) as CommandError;
      expect(error).toBeInstanceOf(CommandError);
      expect(error.message).toStartWith(message);
      expect(error.exitCode).toBe(2);
      expect(existsSync(data)).toBe(false);
    });
  }
});
