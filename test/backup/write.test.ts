import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { backup } from "../../src/cli/backup.ts";
import { restore } from "../../src/cli/restore.ts";
import { openTestFile, tempFolder } from "../support/store.ts";
import { messageOf, modeOf, SEAL_KEY, scene } from "./backup-scene.ts";

describe("a backup", () => {
  test("of data in use has all that was written, and is restored into an empty folder with the keys", async () => {
    const { folder, file, output, run, user, list } = await scene();
    expect(await run(backup, [file])).toBe(0);
    expect(output.out).toMatch(/^backed up 1 users and 0 conversations to .*, \d+ bytes\n$/);
    expect(output.err).toBe("");
    const fresh = join(folder, "fresh");
    expect(await run(restore, [file], { data: fresh })).toBe(0);
    expect(output).toEqual({ out: expect.stringMatching(/^restored 1 users and 0 conv[^\n]*\n$/), err: "" });
    expect(await list(fresh)).toEqual([user]);
    expect(readFileSync(join(fresh, "agent.key"), "utf8")).toBe("the-agent-key\n");
    for (const name of ["server.db", "seal.key", "agent.key"]) expect(modeOf(join(fresh, name))).toBe(0o600);
    expect(modeOf(fresh)).toBe(0o700);
    expect(readdirSync(fresh).sort()).toEqual(["agent.key", "seal.key", "server.db", "server.db.lock"]);
  });

  test("is a tar archive for its owner only, and leaves nothing else behind", async () => {
    const { folder, data, file, run } = await scene();
    const umask = process.umask(0);
    try {
      await run(backup, [file]);
    } finally {
      process.umask(umask);
    }
    expect(modeOf(file)).toBe(0o600);
    expect(readdirSync(folder).sort()).toEqual(["data", "server.backup"]);
    const unpacked = tempFolder();
    const tar = Bun.spawnSync(["tar", "-xpf", file, "-C", unpacked]);
    expect(tar.exitCode).toBe(0);
    expect(readdirSync(unpacked).sort()).toEqual(["agent.key", "backup.json", "seal.key", "server.db"]);
    const manifest = await Bun.file(join(unpacked, "backup.json")).json();
    expect(manifest).toMatchObject({ format: "chatgpt-api-server backup", version: 1, users: 1 });
    expect(manifest.files["seal.key"].sha256).toBe(
      Bun.SHA256.hash(readFileSync(join(data, "seal.key")), "hex"),
    );
  });

  test("does not overwrite a file, unless told to, and then as a whole", async () => {
    const { file, output, run } = await scene();
    writeFileSync(file, "precious");
    expect(await messageOf(() => run(backup, [file]))).toContain("is there already");
    expect(readFileSync(file, "utf8")).toBe("precious");
    expect(await run(backup, [file, "--force"])).toBe(0);
    expect(modeOf(file)).toBe(0o600);
    expect(output.out).toStartWith("backed up");
  });

  test("to a folder that is missing, or of data that are damaged, says why and leaves no file", async () => {
    const { folder, data, file, run, store } = await scene();
    const nowhere = join(folder, "to", "b.backup");
    expect(await messageOf(() => run(backup, [nowhere]))).toStartWith(`cannot back up to ${nowhere}: `);
    await store.close();
    damage(join(data, "server.db"));
    expect(await messageOf(() => run(backup, [file]))).toContain("damaged");
    expect(readdirSync(folder)).toEqual(["data"]);
  });

  test("of data that are not there is refused, and none are made", async () => {
    const { folder, file, run } = await scene();
    const data = join(folder, "typo");
    expect(await messageOf(() => run(backup, [file], { data }))).toContain("there is no database in");
    expect(existsSync(data)).toBe(false);
  });

  test("says so where the seal key or the agent key is not in the data folder", async () => {
    const { data, file, output, run } = await scene({ sealKey: SEAL_KEY });
    rmSync(join(data, "agent.key"));
    expect(await run(backup, [file], { env: { CHATGPT_API_SEAL_KEY: SEAL_KEY } })).toBe(0);
    expect(output.err).toContain("keep CHATGPT_API_SEAL_KEY with it");
    expect(output.err).toContain("keep AGENT_KEY with the backup");
    // Also where the command was not given the key that the server has.
    await run(backup, [file, "--force"]);
    expect(output.err).toContain("keep CHATGPT_API_SEAL_KEY with it");
  });

  test("holds a row of the audit about itself", async () => {
    const { folder, file, run } = await scene();
    await run(backup, [file]);
    const fresh = join(folder, "fresh");
    await run(restore, [file], { data: fresh });
    const { audit } = openTestFile(join(fresh, "server.db"));
    expect(await audit.list({ limit: 9 })).toMatchObject([
      { actor: "cli", action: "restore", detail: { users: 1 } },
      { actor: "cli", action: "backup", target: "server.backup" },
    ]);
  });
});

test.each([[backup], [restore]])(
  "%p shows how it is used when called without a file, or with two",
  async (command) => {
    const { output, run } = await scene();
    for (const args of [[], ["a", "b"]]) {
      expect(await run(command, args)).toBe(2);
      expect(output.err).toMatch(/^usage: chatgpt-api-server (backup|restore) <file>/);
    }
  },
);

function damage(path: string): void {
  const bytes = readFileSync(path);
  // The second page on, behind the header.
  writeFileSync(path, bytes.fill(0xff, 4096 * 3, 4096 * 6));
}
