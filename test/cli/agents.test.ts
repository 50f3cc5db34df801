import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAgentKeys } from "../../src/auth/agent-keys.ts";
import { agents as command } from "../../src/cli/agents.ts";
import { CommandError } from "../../src/errors.ts";
import { failureOf, newDataFolder, openTestFile, tempFolder } from "../support/store.ts";

const NO_PREFERENCE = { priority: null, weight: null, tags: null, owner_id: null, shows_name: false };

function scene(data = newDataFolder()) {
  const output = { out: "", err: "" };
  const run = async (args: string[], env: Record<string, string> = {}) => {
    output.out = "";
    output.err = "";
    const io = {
      env,
      out: (text: string) => {
        output.out += text;
      },
      err: (text: string) => {
        output.err += text;
      },
    };
    return command([...args, "--data", data], io);
  };
  const open = () => openTestFile(join(data, "server.db"));
  const find = async (key: string) => {
    const { agentKeys, users } = open();
    return createAgentKeys({ main: { matches: () => false }, store: agentKeys, users }).find(key);
  };
  return { data, output, run, open, find, json: () => JSON.parse(output.out) };
}

describe("agents add", () => {
  test("agents add makes a key that lets an agent in, and shows it once", async () => {
    const { output, run, find } = scene();
    expect(await run(["add", "gpu box"])).toBe(0);
    const key = output.out.match(/^key +(\S+)$/m)?.[1] ?? "";
    expect(key).toMatch(/^agent-[\w-]{43}$/);
    expect(output.out).toMatch(/^models +all$/m);
    expect(output.err).toContain("not shown again");
    expect(await find(key)).toMatchObject({ name: "gpu box", models: null });
    await run(["list"]);
    expect(output.out).not.toContain(key);
  });

  test("agents add limits a key to models, and prints JSON for programs", async () => {
    const { run, find, json } = scene();
    expect(await run(["add", "a", "--models", "m, n", "--models=o", "--json"])).toBe(0);
    expect(json()).toEqual({
      id: expect.any(String),
      name: "a",
      models: ["m", "n", "o"],
      ...NO_PREFERENCE,
      key: expect.any(String),
    });
    expect(await find(json().key)).toMatchObject({ models: ["m", "n", "o"] });
    for (const wrong of ["", "m,", "a\u0007"]) {
      const error = (await failureOf(() => run(["add", "b", "--models", wrong]))) as CommandError;
      expect(error.exitCode).toBe(2);
    }
  });

  test.each([["taken"], ["main"]])(
    "agents add refuses the name %s, which is in use, in one line",
    async (name) => {
      const { run } = scene();
      await run(["add", "taken"]);
      const error = (await failureOf(() => run(["add", name]))) as CommandError;
      expect(error).toBeInstanceOf(CommandError);
      expect([error.exitCode, error.message]).toEqual([
        1,
        "An agent key has this name already. Choose another name, or revoke that key first.",
      ]);
    },
  );

  test.each([["\u001b[2J"], [" "], ["x".repeat(65)]])(
    "agents add refuses %j as a name, with exit code 2",
    async (name) => {
      const { data, run } = scene();
      const error = (await failureOf(() => run(["add", name]))) as CommandError;
      expect(error.exitCode).toBe(2);
      expect(existsSync(data)).toBe(true);
    },
  );
});

describe("the preference of an agent key", () => {
  const FLAGS = [
    ...["--priority", "-5", "--weight", "2.5", "--tag", "home", "--tag", "gpu,home", "--owner", "Ann"],
    "--show-name",
  ];
  const PREFERENCE = { priority: -5, weight: 2.5, tags: ["home", "gpu"], owner_id: "u1", shows_name: true };

  async function sceneWithAnn() {
    const parts = scene();
    await parts.open().users.add([
      { id: "u1", name: "Ann", tokenHash: "hash", sealedToken: Buffer.of() },
      { id: "u2", name: "Bob", tokenHash: "hash of Bob", sealedToken: Buffer.of() },
    ]);
    return parts;
  }

  test("agents add takes a preference, and agents change changes what is given of it", async () => {
    const { run, json, output, find } = await sceneWithAnn();
    await run(["add", "box", "--models", "m", ...FLAGS, "--json"]);
    const { id, key } = json();
    expect(json()).toEqual({ id, name: "box", models: ["m"], ...PREFERENCE, key });
    expect(await find(key)).toMatchObject({ tags: ["home", "gpu"], ownerId: "u1", showsName: true });
    await run(["change", "box", "--priority", "7", "--owner", "u2", "--weight", "none", "--json"]);
    const changed = { ...PREFERENCE, priority: 7, owner_id: "u2", weight: null };
    expect(json()).toMatchObject({ id, name: "box", models: ["m"], ...changed, revoked_at: null });
    await run(["change", id, "--tag", "none", "--hide-name", "--owner=none"]);
    expect(output.out).toMatch(/^priority +7\nweight +-\ntags +-\nowner +-\nshows name +no$/m);
    await run(["list", "--json"]);
    expect(json()).toMatchObject([{ ...NO_PREFERENCE, priority: 7 }]);
  });

  test("agents change refuses unknown keys, revoked keys and unknown owners, and changes nothing", async () => {
    const { run, json } = await sceneWithAnn();
    await run(["add", "box"]);
    await run(["add", "old"]);
    await run(["revoke", "old"]);
    for (const args of [
      ["nobody", "--priority", "1"],
      ["old", "--priority", "1"],
      ["box", "--priority", "1", "--owner", "Eve"],
    ])
      expect(await failureOf(() => run(["change", ...args]))).toBeInstanceOf(CommandError);
    await run(["list", "--json"]);
    expect(json()).toMatchObject([NO_PREFERENCE, NO_PREFERENCE]);
  });

  test("a preference is in the audit with the fields that were given", async () => {
    const { run, open } = await sceneWithAnn();
    await run(["add", "box", "--tag", "home", "--owner", "Ann"]);
    await run(["change", "box", "--priority", "7", "--tag", "none", "--show-name"]);
    expect(await open().audit.list({ limit: 10 })).toMatchObject([
      { action: "agent_key.change", detail: { name: "box", priority: 7, tags: null, shows_name: true } },
      { action: "agent_key.add", detail: { name: "box", models: null, tags: ["home"], owner_id: "u1" } },
    ]);
  });
});

describe("agents list and revoke", () => {
  test("agents list shows every key, and when it was revoked", async () => {
    const { output, run, json, find } = scene();
    await run(["add", "a", "--json"]);
    const { id, key } = json();
    await run(["add", "b", "--models", "m"]);
    expect(await run(["revoke", "a"])).toBe(0);
    expect(output.out).toBe("Revoked a.\n");
    expect(await find(key)).toBe("revoked");
    await run(["list", "--json"]);
    expect(json()).toEqual([
      {
        ...{ id, name: "a", models: null, ...NO_PREFERENCE },
        ...{ created_at: expect.any(String), revoked_at: expect.any(String) },
      },
      {
        ...{ id: expect.any(String), name: "b", models: ["m"], ...NO_PREFERENCE },
        ...{ created_at: expect.any(String), revoked_at: null },
      },
    ]);
    await run(["list"]);
    expect(output.out.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      [
        ...["NAME", "ID", "CREATED", "REVOKED", "PRIORITY", "WEIGHT", "TAGS", "OWNER"],
        ...["SHOWS NAME", "MODELS"],
      ],
      [
        ...["a", id, expect.stringMatching(/^\d{4}-\d\d-\d\d$/), expect.stringMatching(/^\d{4}-/)],
        ...["-", "-", "-", "-", "no", "all"],
      ],
      ["b", expect.any(String), expect.stringMatching(/^\d{4}-/), "-", "-", "-", "-", "-", "no", "m"],
      [""],
    ]);
  });

  test("agents revoke takes an id too, and refuses an unknown or revoked key", async () => {
    const { run, json } = scene();
    await run(["add", "a", "--json"]);
    const { id } = json();
    expect(await run(["revoke", id, "--json"])).toBe(0);
    expect(json()).toEqual({ id, name: "a", revoked: true });
    for (const subject of [id, "a", "nobody"])
      expect(await failureOf(() => run(["revoke", subject]))).toBeInstanceOf(CommandError);
  });

  test("no command of agents creates a data folder", async () => {
    const { data, run } = scene(join(tempFolder(), "data"));
    for (const args of [["add", "a"], ["list"], ["change", "a", "--show-name"], ["revoke", "a"]]) {
      const error = (await failureOf(() => run(args))) as CommandError;
      expect(error.message).toStartWith(`There is no database in ${data}. Name the server's data folder`);
    }
    expect(existsSync(data)).toBe(false);
  });
});

test("each change of an agent key is a row in the audit, without the key", async () => {
  const { run, json, open } = scene();
  await run(["add", "a", "--models", "m", "--json"]);
  const { id, key } = json();
  await run(["revoke", "a"]);
  const rows = await open().audit.list({ limit: 10 });
  expect(rows).toMatchObject([
    { actor: "cli", action: "agent_key.revoke", target: id, detail: { name: "a" }, address: null },
    { actor: "cli", action: "agent_key.add", target: id, detail: { name: "a", models: ["m"] } },
  ]);
  expect(JSON.stringify(rows)).not.toContain(key);
});

describe("agents address", () => {
  test("agents address prints the addresses with the main key of the data folder", async () => {
    const { data, output, run } = scene();
    writeFileSync(join(data, "agent.key"), "the-main-key\n");
    expect(await run(["address", "--port", "9000", "--host", "127.0.0.1"])).toBe(0);
    expect(output.out).toBe(
      "on this machine  127.0.0.1:9000/agents/the-main-key\nas a full URL    ws://127.0.0.1:9000/agents/the-main-key/client/register",
    );
    await run(["address", "--tls-cert", "cert.pem"]);
    expect(output.out).toStartWith("on this machine  https://127.0.0.1:8080/agents/the-main-key\n");
  });

  test("agents address reads the settings of the server from the environment", async () => {
    const { output, run } = scene();
    await run(["address"], { PORT: "9000", AGENT_KEY: "key-of-the-operator" });
    expect(output.out).toStartWith("on this machine  127.0.0.1:9000/agents/key-of-the-operator\n");
  });

  test("agents address and agents add print the public URL", async () => {
    const { data, output, run } = scene();
    writeFileSync(join(data, "agent.key"), "the-main-key\n");
    await run(["address", "--public-url", "https://chat.example.com", "--port", "9000"]);
    expect(output.out).toBe(
      [
        "on this machine  127.0.0.1:9000/agents/the-main-key",
        "from elsewhere   https://chat.example.com/agents/the-main-key",
        "as a full URL    wss://chat.example.com/agents/the-main-key/client/register",
      ].join("\n"),
    );
    await run(["add", "box"], { PUBLIC_URL: "https://chat.example.com" });
    expect(output.err).toContain("Agents connect to https://chat.example.com/agents/<key>.");
  });

  test("agents address creates no key, and asks for the port if the server chose it", async () => {
    const { data, run } = scene(join(tempFolder(), "data"));
    await expect(run(["address"])).rejects.toThrow("There is no agent key in");
    await expect(run(["address", "--port", "0"])).rejects.toThrow("Give the server's port");
    expect(existsSync(data)).toBe(false);
  });
});

const COMMANDS =
  "Give one of: agents list, agents add <name>, agents pair [<name>], agents change <name or id>, agents revoke <name or id>, agents address.";
const OWN_FLAGS =
  "--priority, --weight, --tag, --owner, --show-name and --hide-name belong to agents add, agents pair and agents change.";
const TAG_FAULT =
  "--tag is not valid. Give at most 32 tags of lower-case letters, digits, dots, hyphens and underscores, or none.";
const PRIORITY_FAULT = "--priority is not valid. Give a whole number from -1000 to 1000, or none.";
const oneName = (word: string) => `Give one name, with quotes if it has blanks, after agents ${word}.`;

test.each<[string[], string]>([
  [[], COMMANDS],
  [["remove", "a"], COMMANDS],
  [["add"], oneName("add")],
  [["add", "a", "b"], oneName("add")],
  [["revoke"], oneName("revoke")],
  [["list", "a"], "Give no argument after agents list."],
  [["address", "x"], "Give no argument after agents address."],
  [["address", "--json"], "agents address prints no JSON. Leave out --json."],
  [["list", "--models", "m"], "--models belongs to agents add and agents pair. Leave it out."],
  [["change", "a", "--models", "m"], "--models belongs to agents add and agents pair. Leave it out."],
  [["list", "--priority", "1"], OWN_FLAGS],
  [["revoke", "a", "--hide-name"], OWN_FLAGS],
  [["change"], oneName("change")],
  [["change", "a"], "There is nothing to change. Give a flag, such as --priority 10."],
  [["change", "a", "--priority", "1.5"], PRIORITY_FAULT],
  [["change", "a", "--priority", "1001"], PRIORITY_FAULT],
  [["add", "a", "--priority", "high"], PRIORITY_FAULT],
  [["add", "a", "--priority="], PRIORITY_FAULT],
  [["add", "a", "--weight", "0"], "--weight is not valid. Give a number above 0, at most 1000, or none."],
  [["add", "a", "--tag", "at home"], TAG_FAULT],
  [["add", "a", "--tag", "home", "--tag", "Gpu"], TAG_FAULT],
  [["add", "a", "--owner="], "--owner is not valid. Give the id or the name of a user, or none."],
  [
    ["change", "a", "--show-name", "--hide-name"],
    "--show-name and --hide-name are both there. Leave one out.",
  ],
])("the arguments agents %j are refused in one line, with exit code 2", async (args, message) => {
  const { data, run } = scene(join(tempFolder(), "data"));
  const error = (await failureOf(() => run(args))) as CommandError;
  expect([error.exitCode, error.message]).toEqual([2, message]);
  expect(existsSync(data)).toBe(false);
});
