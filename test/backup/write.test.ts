import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { backup, restore } from "../../src/cli/backup.ts";
import type { CommandError } from "../../src/errors.ts";
import { failureOf, openTestFile, tempFolder } from "../support/store.ts";
import { unpackTar } from "../support/tar.ts";
import { messageOf, modeOf, SEAL_KEY, scene } from "./backup-scene.ts";

describe("backup", () => {
  test("a backup of data in use has every change, and restores into an empty folder with the keys", async () => {
    const { folder, file, output, run, user, list } = await scene();
    expect(await run(backup, [file])).toBe(0);
    expect(output.out).toMatch(/^Backed up 1 user and 0 conversations to .* \(\d+ bytes\)\.\n$/);
    expect(output.err).toBe("");
    const fresh = join(folder, "fresh");
    expect(await run(restore, [file], { data: fresh })).toBe(0);
    expect(output).toEqual({ out: expect.stringMatching(/^Restored 1 user and 0 conv[^\n]*\n$/), err: "" });
    expect(await list(fresh)).toEqual([user]);
    expect(readFileSync(join(fresh, "agent.key"), "utf8")).toBe("the-agent-key\n");
    for (const name of ["server.db", "seal.key", "agent.key"]) expect(modeOf(join(fresh, name))).toBe(0o600);
    expect(modeOf(fresh)).toBe(0o700);
    expect(readdirSync(fresh).sort()).toEqual(["agent.key", "seal.key", "server.db", "server.db.lock"]);
  });

  test("a backup has no sessions, no sign-in codes and no pairings, so that a restored one lets nobody in", async () => {
    const { file, run, store, user } = await scene();
    const session = {
      hash: "h".repeat(64),
      userId: user.user_id,
      keyHash: "k",
      isSecure: false,
      expiresAt: 2e12,
      address: null,
      userAgent: null,
    };
    await store.sessions.add(session, { ownerMax: 9, allMax: 9 });
    await store.sessions.addCode("c".repeat(64), 2e12);
    const given = { models: null, priority: null, weight: null, tags: null, ownerId: null, showsName: false };
    const pairing = { id: "p", hash: "a".repeat(64), name: null, given, expiresAt: 2e12 };
    await store.pairings.add(pairing, 9);
    await run(backup, [file]);
    const unpacked = tempFolder();
    await unpackTar(file, unpacked);
    const text = readFileSync(join(unpacked, "server.db"), "latin1");
    for (const hash of [session.hash, "c".repeat(64), pairing.hash]) expect(text).not.toContain(hash);
    const restored = openTestFile(join(unpacked, "server.db"));
    expect(await restored.sessions.find(session.hash)).toBeUndefined();
    expect(await restored.sessions.useCode("c".repeat(64))).toBe(false);
    expect(await restored.pairings.list()).toEqual([]);
    expect(await store.sessions.find(session.hash)).toEqual(session);
  });

  test("a backup is a tar archive for its owner only, and leaves no other file behind", async () => {
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
    await unpackTar(file, unpacked);
    expect(readdirSync(unpacked).sort()).toEqual(["agent.key", "backup.json", "seal.key", "server.db"]);
    const manifest = await Bun.file(join(unpacked, "backup.json")).json();
    expect(manifest).toMatchObject({ format: "chatgpt-api-server backup", version: 1, users: 1 });
    expect(manifest.files["seal.key"].sha256).toBe(
      Bun.SHA256.hash(readFileSync(join(data, "seal.key")), "hex"),
    );
  });

  test("backup overwrites a file only with --force, and then as a whole", async () => {
    const { file, output, run } = await scene();
    writeFileSync(file, "precious");
    expect(await messageOf(() => run(backup, [file]))).toContain("already exists");
    expect(readFileSync(file, "utf8")).toBe("precious");
    expect(await run(backup, [file, "--force"])).toBe(0);
    expect(modeOf(file)).toBe(0o600);
    expect(output.out).toStartWith("Backed up");
  });

  test("backup to a missing folder, or of damaged data, says why it fails and leaves no file", async () => {
    const { folder, data, file, run, store } = await scene();
    const nowhere = join(folder, "to", "b.backup");
    expect(await messageOf(() => run(backup, [nowhere]))).toStartWith(`Cannot back up to ${nowhere}: `);
    await store.close();
    damage(join(data, "server.db"));
    expect(await messageOf(() => run(backup, [file]))).toContain("damaged");
    expect(readdirSync(folder)).toEqual(["data"]);
  });

  test("backup refuses a folder without a database, and does not create one", async () => {
    const { folder, file, run } = await scene();
    const data = join(folder, "typo");
    expect(await messageOf(() => run(backup, [file], { data }))).toContain("There is no database in");
    expect(existsSync(data)).toBe(false);
  });

  test("backup warns if the seal key or the agent key is not in the data folder", async () => {
    const { data, file, output, run } = await scene({ sealKey: SEAL_KEY });
    rmSync(join(data, "agent.key"));
    expect(await run(backup, [file], { env: { CHATGPT_API_SEAL_KEY: SEAL_KEY } })).toBe(0);
    expect(output.err).toContain("Keep CHATGPT_API_SEAL_KEY with the backup");
    expect(output.err).toContain("Keep AGENT_KEY with the backup");
    // It warns too if the command was not given the key that the server has.
    await run(backup, [file, "--force"]);
    expect(output.err).toContain("Keep CHATGPT_API_SEAL_KEY with the backup");
  });

  test("a backup contains the audit's row about itself", async () => {
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
  "the command %p is refused in one line when called without a file, or with two",
  async (command) => {
    const { run } = await scene();
    for (const args of [[], ["a", "b"]]) {
      const error = (await failureOf(() => run(command, args))) as CommandError;
      expect(error.exitCode).toBe(2);
      expect(error.message).toMatch(/^Give one argument: the file .*\.$/);
    }
  },
);

function damage(path: string): void {
  const bytes = readFileSync(path);
  // From the fourth page on, which leaves the header intact.
  writeFileSync(path, bytes.fill(0xff, 4096 * 3, 4096 * 6));
}
