import { expect, test } from "bun:test";
import { COMMANDS, type CommandDescription } from "../../src/cli/commands.ts";
import { help } from "../../src/cli/help.ts";
import { flagOf, SETTING_NAMES, variablesOf } from "../../src/config/settings.ts";
import { recordedTerminal } from "./terminal.ts";

async function helpOf(...args: string[]): Promise<string> {
  const io = recordedTerminal();
  await help(args, io);
  return io.stdout();
}

for (const [name, { settings, flags = {} }] of Object.entries<CommandDescription>(COMMANDS)) {
  test(`the help of ${name} has its own settings and variables, and no others`, async () => {
    const text = await helpOf(name);
    const own = settings === "all" ? SETTING_NAMES : (settings ?? []);
    for (const setting of SETTING_NAMES) {
      const flag = flagOf(setting);
      const shown = flag !== undefined && new RegExp(`^ +${flag}\\b(?!-)`, "m").test(text);
      const expected = own.includes(setting) || (flag !== undefined && flag.slice(2) in flags);
      if (flag !== undefined) expect([flag, shown]).toEqual([flag, expected]);
      if (!own.includes(setting))
        for (const variable of variablesOf(setting))
          expect(text).not.toMatch(new RegExp(`\\b${variable}\\b`));
    }
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });
}

test("the help of agent speaks of the agent, with headings for its flag, services and settings", async () => {
  const text = await helpOf("agent");
  expect(text.match(/^[A-Z][\w ]*$/gm)).toEqual(["Flags", "As a service", "Settings"]);
  expect(text).not.toMatch(/built-in agent|generated|shutdown/);
  expect(text).toContain("CHATGPT_API_UPSTREAM for --upstream");
  expect(text).toContain("UPSTREAM_KEY and AGENT_KEY need no prefix.");
});

test("the help of all commands names every command, and those with subcommands as such", async () => {
  const text = await helpOf();
  for (const name of Object.keys(COMMANDS)) expect(text).toMatch(new RegExp(`^  \\[?${name}\\b`, "m"));
  expect(text).toContain("  users <subcommand> [flags]");
  expect(text).toContain("  agents <subcommand> [flags]");
  expect(text).toMatch(/^ {2}client <program> \[flags\] +Print, or write, the configuration of a program/m);
});
