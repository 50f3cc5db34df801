import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { help } from "../../../src/cli/help.ts";
import { users as command } from "../../../src/cli/users.ts";
import { DAY_MS } from "../../../src/durations.ts";
import { CommandError } from "../../../src/errors.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { failureOf, newDataFolder, openTestFile, tempFolder } from "../../support/store.ts";
import { until } from "../../support/until.ts";
import { recordedTerminal } from "../terminal.ts";

const LIMITS = {
  name: "Ann",
  expires_at: "2999-12-31T00:00:00.000Z",
  models: ["llama", "qwen"],
  requests_per_minute: 100,
  tokens_per_day: 1_000_000,
  max_parallel: 4,
  budget_day: 2.5,
  budget_month: 40,
  priority: "low",
  agent_tags: ["home", "gpu"],
};
const LIMIT_FLAGS = [
  ...["--name", "Ann", "--expires", "2999-12-31", "--models", "llama, qwen"],
  ...["--requests-per-minute", "100", "--tokens-per-day=1000000", "--max-parallel", "4"],
  ...["--budget-day", "2.50", "--budget-month=40"],
  ...["--priority", "low", "--agent-tags", "home,gpu"],
];
const UNLIMITED = Object.fromEntries(Object.keys(LIMITS).map((name) => [name, null]));

/** Returns the command with a data folder of its own. */
function scene(data = newDataFolder()) {
  const run = async (...args: string[]) => {
    const io = recordedTerminal();
    const code = await command([...args, "--data", data], io);
    expect([code, io.stderr()]).toEqual([0, ""]);
    return io.stdout();
  };
  const json = async (...args: string[]) => JSON.parse(await run(...args, "--json"));
  const fault = async (...args: string[]) => {
    const error = (await failureOf(() => run(...args))) as CommandError;
    expect(error).toBeInstanceOf(CommandError);
    return `${error.exitCode}: ${error.message}`;
  };
  return { data, run, json, fault, open: () => openTestFile(join(data, "server.db")) };
}

describe("users add", () => {
  test("users add makes a user with a token, and prints both, for people and for programs", async () => {
    const { run, json, open } = scene();
    const text = await run("add", ...LIMIT_FLAGS);
    const added = await json("add");
    expect(Object.keys(added)).toEqual(["token", "user_id"]);
    expect(await json("add", ...LIMIT_FLAGS)).toMatchObject(LIMITS);
    const stored = await open().users.list();
    expect(stored).toHaveLength(3);
    expect(stored[0]).toMatchObject({ name: "Ann", maxParallel: 4, expiresAt: Date.parse("2999-12-31") });
    expect(text).toContain(stored[0]?.id ?? "none");
    expect(text).toMatch(/^token +[0-9a-f-]{36}$/m);
    expect(text).toMatch(/^models +llama, qwen$/m);
  });

  test("a running server accepts a user that users add made at once", async () => {
    const server = await startTestServer();
    const { json } = scene(server.data);
    const { token } = await json("add", "--name", "Ann");
    const reply = await fetch(`${server.url}/v1/models`, { headers: { authorization: token } });
    expect(reply.status).toBe(200);
    const list = await fetch(`${server.url}/admin/users?admin_key=${ADMIN_KEY}`);
    expect(await list.text()).toContain(token);
  });

  test("users add takes a duration for --expires", async () => {
    const { json } = scene();
    for (const [text, ms] of [
      ["30d", 30 * DAY_MS],
      ["12h", DAY_MS / 2],
      ["90s", 90_000],
    ] as const) {
      const before = Date.now();
      const at = Date.parse((await json("add", "--expires", text)).expires_at);
      expect(at).toBeGreaterThanOrEqual(before + ms);
      expect(at).toBeLessThanOrEqual(Date.now() + ms);
    }
    const zoned = await json("add", "--expires", "2999-12-31T02:00:00+02:00");
    expect(zoned.expires_at).toBe(LIMITS.expires_at);
  });
});

describe("users list and show", () => {
  test("users list prints a table and users show a card, with the state of each user", async () => {
    const { run, open } = scene();
    expect(await run("add", ...LIMIT_FLAGS)).toContain("Ann");
    await run("add", "--name", "Bob");
    await run("add", "--expires", "2020-01-01");
    await run("disable", "Bob");
    const [ann, bob, third] = await open().users.list();
    const lines = (await run("list")).trimEnd().split("\n");
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      [
        ...["NAME", "ID", "STATE", "EXPIRES", "REQUESTS PER MINUTE", "TOKENS PER DAY", "MAX PARALLEL"],
        ...["BUDGET DAY", "BUDGET MONTH", "PRIORITY", "AGENT TAGS", "MODELS"],
      ],
      [
        ...["Ann", ann?.id ?? "", "active", "2999-12-31", "100", "1000000", "4", "2.5", "40"],
        ...["low", "home, gpu"],
        "llama, qwen",
      ],
      ["Bob", bob?.id ?? "", "disabled", ...Array(8).fill("-"), "all"],
      ["-", third?.id ?? "", "expired", "2020-01-01", ...Array(7).fill("-"), "all"],
    ]);
    expect(await run("show", "Ann")).toMatch(/^state +active$/m);
    expect(await run("show", third?.id ?? "")).toMatch(/^expires +2020-01-01T00:00:00.000Z$/m);
  });

  test("users list and show print the JSON of GET /admin/users/<id>, and never a token", async () => {
    const { run, json } = scene();
    const { token, user_id } = await json("add", ...LIMIT_FLAGS);
    const shown = await json("show", "Ann");
    expect(shown).toEqual({ user_id, created_at: expect.any(String), disabled_at: null, ...LIMITS });
    expect(await json("list")).toEqual({ users: [shown] });
    for (const args of [["list"], ["list", "--json"], ["show", "Ann"], ["show", "Ann", "--json"]])
      expect(await run(...args)).not.toContain(token);
  });

  test("users list prints 'No users.' for an empty database", async () => {
    const { run, json, open } = scene();
    await open().close();
    expect(await run("list")).toBe("No users.\n");
    expect(await json("list")).toEqual({ users: [] });
  });

  test("users list and show replace control characters in ids and names", async () => {
    const { run, open } = scene();
    await open().users.add([{ id: "a\u001b[2Jb", tokenHash: "h", sealedToken: Buffer.of(), name: "x\ny" }]);
    for (const text of [await run("list"), await run("show", "x\ny")]) {
      expect(text).not.toContain("\u001b");
      expect(text).not.toContain("x\ny");
    }
  });
});

describe("a user", () => {
  test("users set changes one field at a time, and the value none removes it", async () => {
    const { json } = scene();
    await json("add", ...LIMIT_FLAGS);
    expect(await json("set", "Ann", "--max-parallel", "9", "--models", "none")).toMatchObject({
      ...LIMITS,
      max_parallel: 9,
      models: null,
    });
    const { user_id } = await json("show", "Ann");
    const none = LIMIT_FLAGS.filter((arg) => arg.startsWith("--")).flatMap((arg) => [
      arg.replace(/=.*/, ""),
      "none",
    ]);
    expect(await json("set", user_id, ...none)).toMatchObject(UNLIMITED);
  });

  test("a user is disabled, enabled, rotated and deleted by id or by name", async () => {
    const { json, run, open, fault } = scene();
    const { user_id, token } = await json("add", "--name", "Ann");
    expect(Date.parse((await json("disable", "Ann")).disabled_at)).toBeGreaterThan(0);
    expect((await json("enable", user_id)).disabled_at).toBeNull();
    const before = Date.now();
    const rotated = await json("rotate", "Ann", "--grace", "10m");
    const after = Date.now();
    expect(rotated).toEqual({ token: expect.stringMatching(/^[0-9a-f-]{36}$/), user_id });
    const hash = (text: string) => Bun.SHA256.hash(text, "hex");
    const { users } = open();
    const old = await users.findByTokenHash(hash(token));
    expect(old?.tokenExpiresAt).toBeWithin(before + 600_000, after + 600_001);
    expect(await run("rotate", "Ann")).toMatch(/^token +[0-9a-f-]{36}$/m);
    expect(await users.findByTokenHash(hash(token))).toBeUndefined();
    expect(await users.findByTokenHash(hash(rotated.token))).toBeUndefined();
    expect(await json("delete", "Ann")).toEqual({ user_id, deleted: true });
    expect(await fault("show", user_id)).toBe(`1: No user has the id or the name "${user_id}".`);
  });

  test("a name that users share is refused, with the ids to choose from", async () => {
    const { json, fault } = scene();
    const [a, b] = [await json("add", "--name", "Ann"), await json("add", "--name", "Ann")];
    const refused = await fault("delete", "Ann");
    expect(refused).toBe(`1: 2 users have the name "Ann". Give an id: ${a.user_id}, ${b.user_id}`);
    await json("delete", a.user_id);
    expect((await json("show", "Ann")).user_id).toBe(b.user_id);
  });

  test("an id wins over the same name of another user", async () => {
    const { json, open } = scene();
    await json("add", "--name", "first");
    await open().users.add([{ id: "first", tokenHash: "h", sealedToken: Buffer.of() }]);
    expect((await json("show", "first")).user_id).toBe("first");
  });
});

test("a change that another process makes takes effect at a server that runs", async () => {
  const server = await startTestServer();
  const { json } = scene(server.data);
  const { token } = await json("add", "--name", "Ann");
  const status = async () =>
    (await fetch(`${server.url}/v1/models`, { headers: { authorization: token } })).status;
  expect(await status()).toBe(200);
  await json("disable", "Ann");
  await until(async () => (await status()) === 401);
  await json("enable", "Ann");
  await until(async () => (await status()) === 200);
});

test("every change of a user is in the audit, with what changed and never a token", async () => {
  const { json, open, fault } = scene();
  const { user_id, token } = await json("add", "--name", "Ann");
  await json("set", "Ann", "--max-parallel", "2");
  await json("disable", "Ann");
  await json("enable", "Ann");
  const rotated = await json("rotate", "Ann", "--grace", "1m");
  await json("delete", "Ann");
  await fault("delete", "Ann");
  const rows = (await open().audit.list({ limit: 10 })).reverse();
  expect(rows.map(({ actor, action, target, detail }) => [actor, action, target, detail])).toEqual([
    ["cli", "user.add", user_id, { name: "Ann" }],
    ["cli", "user.change", user_id, { max_parallel: 2 }],
    ["cli", "user.disable", user_id, { name: "Ann" }],
    ["cli", "user.enable", user_id, { name: "Ann" }],
    ["cli", "user.rotate", user_id, { name: "Ann", grace_seconds: 60 }],
    ["cli", "user.delete", user_id, { name: "Ann" }],
  ]);
  expect(JSON.stringify(rows)).not.toContain(token);
  expect(JSON.stringify(rows)).not.toContain(rotated.token);
});

test("no command of users creates a data folder, and only those that make tokens create a key", async () => {
  const { data, run, fault } = scene(join(tempFolder(), "data"));
  const commands = [
    ["add"],
    ["list"],
    ["show", "a"],
    ["set", "a", "--name", "b"],
    ["rotate", "a"],
    ["delete", "a"],
  ];
  for (const args of commands)
    expect(await fault(...args)).toBe(
      `1: There is no database in ${data}. Name the server's data folder with --data, or start the server once to create one.`,
    );
  expect(existsSync(data)).toBe(false);
  await openTestFile(join(data, "server.db")).close();
  await run("list");
  expect(readdirSync(data)).not.toContain("seal.key");
  await run("add");
  expect(readdirSync(data)).toContain("seal.key");
});

test("the help of users has every subcommand and flag", async () => {
  const io = recordedTerminal();
  await help(["users"], io);
  const text = io.stdout();
  for (const word of "add list show set disable enable rotate delete import".split(" "))
    expect(text).toMatch(new RegExp(`users .*\\b${word}\\b`));
  const flags =
    "name expires models requests-per-minute tokens-per-day max-parallel budget-day budget-month priority agent-tags grace json data";
  for (const flag of flags.split(" ")) expect(text).toMatch(new RegExp(`^ +--${flag}\\b`, "m"));
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
});
