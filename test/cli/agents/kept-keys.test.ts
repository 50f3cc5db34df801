import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keptKeys, userDataFolder } from "../../../src/cli/agents/kept-keys.ts";
import { CommandError } from "../../../src/errors.ts";
import { failureOf, tempFolder } from "../../support/store.ts";

const KEPT = { key: "agent-abc", name: "box", code: "00" };

test("a key is kept for one server, in a file that only its owner may read", () => {
  const data = join(tempFolder(), "new", "folder");
  const keys = keptKeys(data, "wss://chat.example.com");
  expect(keys.read()).toBeUndefined();
  keys.prepare();
  expect(readdirSync(join(data, "paired"))).toEqual([]);
  keys.write({ ...KEPT, key: "agent-before" });
  keys.write(KEPT);
  expect(keptKeys(data, "wss://chat.example.com").read()).toEqual(KEPT);
  expect(readdirSync(join(data, "paired"))).toEqual(["wss-chat.example.com.json"]);
  if (process.platform !== "win32") {
    expect(statSync(keys.file).mode & 0o777).toBe(0o600);
    expect(statSync(join(data, "paired")).mode & 0o777).toBe(0o700);
    chmodSync(keys.file, 0o644);
    keys.read();
    expect(statSync(keys.file).mode & 0o777).toBe(0o600);
  }
  for (const other of ["ws://chat.example.com", "wss://chat.example.com:8443", "wss://chat.example.com/a/b"])
    expect(keptKeys(data, other).read()).toBeUndefined();
});

test("no name of a server leads out of the folder", () => {
  const data = tempFolder();
  for (const label of ["ws://../../x", "ws://a/../../../b", "ws://[::1]:80", "ws://a\\..\\b"]) {
    const keys = keptKeys(data, label);
    keys.prepare();
    keys.write(KEPT);
    expect(keys.read()).toEqual(KEPT);
  }
  expect(readdirSync(join(data, "paired"))).toHaveLength(4);
  expect(readdirSync(data)).toEqual(["paired"]);
});

test("a file without a key, and a folder that cannot be made, are errors with their names", async () => {
  const data = tempFolder();
  const keys = keptKeys(data, "ws://a");
  mkdirSync(join(data, "paired"));
  writeFileSync(keys.file, "{}");
  const broken = (await failureOf(keys.read)) as CommandError;
  expect(broken).toBeInstanceOf(CommandError);
  expect(broken.message).toContain(keys.file);
  const file = join(data, "file");
  writeFileSync(file, "");
  const refused = (await failureOf(keptKeys(file, "ws://a").prepare)) as CommandError;
  expect(refused).toBeInstanceOf(CommandError);
  expect(refused.message).toContain("Cannot keep the agent key");
});

test.if(process.platform !== "win32")(
  "a disk without room for a key is noticed before a code is used up",
  () => {
    const source = join(import.meta.dir, "../../../src/cli/agents/kept-keys.ts");
    const program = `require("${source}").keptKeys("${tempFolder()}", "ws://a").prepare()`;
    // As on a full disk, an empty file can be made, and nothing can be written into it.
    const limited = `trap '' XFSZ; ulimit -f 0; exec "$0" -e "$1"`;
    const { stderr, exitCode } = Bun.spawnSync(["sh", "-c", limited, process.execPath, program]);
    expect([exitCode, stderr.toString()]).toEqual([1, expect.stringContaining("Cannot keep the agent key")]);
  },
);

test("the folder of a user's own data is where the system has it", () => {
  const of = (env: Record<string, string>, platform: NodeJS.Platform) =>
    userDataFolder(env, platform, "/home/ann").replaceAll("\\", "/");
  expect(of({}, "linux")).toBe("/home/ann/.local/share/chatgpt-api-server");
  expect(of({ XDG_DATA_HOME: "/srv/data" }, "linux")).toBe("/srv/data/chatgpt-api-server");
  expect(of({ XDG_DATA_HOME: "relative" }, "linux")).toBe("/home/ann/.local/share/chatgpt-api-server");
  expect(of({}, "darwin")).toBe("/home/ann/Library/Application Support/chatgpt-api-server");
  expect(of({ LOCALAPPDATA: "/local" }, "win32")).toBe("/local/chatgpt-api-server");
});
