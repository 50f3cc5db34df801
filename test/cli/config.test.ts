import { expect, test } from "bun:test";
import { config } from "../../src/cli/config.ts";
import { SETTING_NAMES } from "../../src/config/settings.ts";
import { CommandError } from "../../src/errors.ts";
import { recordedTerminal } from "./terminal.ts";

const SECRETS = {
  ADMIN_KEY: "admin-0123456789",
  AGENT_KEY: "agent-0123456789",
  CHATGPT_API_SEAL_KEY: "seal-0123456789-0123456789-0123456789",
};

test("config prints every setting in columns, with where it comes from", async () => {
  const io = recordedTerminal({ PORT: "81" });
  expect(await config(["--drain=1m", "--", "82", "the-key"], io)).toBe(0);
  const lines = io.stdout().trimEnd().split("\n");
  expect(lines).toHaveLength(SETTING_NAMES.length);
  expect(lines[0]).toMatch(/^--port {15,}82 {40,}first argument$/);
  expect(lines[1]).toMatch(/^admin-key {12,}\*\*\* +second argument$/);
  expect(io.stdout()).toMatch(/^--drain +1m +--drain$/m);
  expect(new Set(lines.map((line) => line.search(/ (default$|--\S+$|first|second)/))).size).toBe(1);
});

test("config prints the same as JSON for programs", async () => {
  const io = recordedTerminal({ PORT: "81", ...SECRETS });
  expect(await config(["--data", "/d", "--json"], io)).toBe(0);
  const shown = JSON.parse(io.stdout());
  expect(Object.keys(shown)).toEqual(SETTING_NAMES);
  expect(shown).toMatchObject({
    port: { value: "81", from: "PORT" },
    adminKey: { value: "***", from: "ADMIN_KEY" },
    data: { value: "/d", from: "--data" },
    queueWaitMs: { value: "2m", from: "default" },
  });
});

test("config prints no secret", async () => {
  for (const args of [[], ["--json"]]) {
    const io = recordedTerminal(SECRETS);
    expect(await config(args, io)).toBe(0);
    for (const secret of Object.values(SECRETS)) expect(io.stdout() + io.stderr()).not.toContain(secret);
    expect(io.stdout().match(/\*\*\*/g)).toHaveLength(3);
  }
});

test("config names a variable that looks misspelled on standard error, and does not fail", async () => {
  const io = recordedTerminal({ ...SECRETS, CHATGPT_API_QUEUE_WIAT: "1s" });
  expect(await config([], io)).toBe(0);
  expect(io.stderr()).toContain("CHATGPT_API_QUEUE_WIAT");
});

test("config refuses what the server refuses", async () => {
  const failure = config(["8080"], recordedTerminal());
  await expect(failure).rejects.toThrow(CommandError);
  await expect(failure).rejects.toThrow("The admin key is missing");
});
