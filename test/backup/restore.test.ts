import { Database } from "bun:sqlite";
import { describe, expect, onTestFinished, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { backup, restore } from "../../src/cli/backup.ts";
import { tempFolder } from "../support/store.ts";
import { packTar, unpackTar } from "../support/tar.ts";
import { messageOf, modeOf, SEAL_KEY, scene } from "./backup-scene.ts";

describe("restore", () => {
  test("restore keeps the replaced data, including changes that were only in the write-ahead log", async () => {
    const { folder, data, file, output, run, users, store, list, user } = await scene();
    await run(backup, [file]);
    const late = await users.add();
    // A crash leaves a database whose last changes are in the log.
    cpSync(data, join(folder, "crashed"), { recursive: true });
    await store.close();
    const crashed = join(folder, "crashed");
    expect(existsSync(join(crashed, "server.db-wal"))).toBe(true);
    await run(restore, [file], { data: crashed });
    expect(await list(crashed)).toEqual([user]);
    const aside = readdirSync(crashed).find((name) => name.startsWith("replaced-")) ?? "";
    expect(output.out).toContain(join(crashed, aside));
    expect(modeOf(join(crashed, aside))).toBe(0o700);
    expect(await list(join(crashed, aside))).toEqual([user, late]);
    expect(readdirSync(crashed).filter((name) => name.includes("part"))).toEqual([]);
  });

  test("restore refuses while this or another process has the store open, and changes nothing", async () => {
    const { data, file, run, store, list, users, user } = await scene();
    await run(backup, [file]);
    const late = await users.add();
    const refused = () => messageOf(() => run(restore, [file]));
    expect(await refused()).toContain("is in use. Stop the server");
    await store.close();
    const code = `const { openStore } = await import(${JSON.stringify(join(import.meta.dir, "../../src/store/sqlite/open.ts"))});
      // Without the reference the garbage collector would close it.
      globalThis.store = openStore({ path: ${JSON.stringify(join(data, "server.db"))} });
      console.log("open");
      setInterval(() => {}, 1000);`;
    const other = Bun.spawn([process.execPath, "-e", code], { stdout: "pipe", stderr: "inherit" });
    onTestFinished(() => other.kill("SIGKILL"));
    const { value } = await other.stdout.getReader().read();
    expect(new TextDecoder().decode(value)).toBe("open\n");
    expect(await refused()).toContain("is in use. Stop the server");
    other.kill("SIGKILL");
    await other.exited;
    expect(await list()).toEqual([user, late]);
    // A killed process no longer holds a lock.
    expect(await run(restore, [file])).toBe(0);
    expect(await list()).toEqual([user]);
  });

  test("restore refuses a seal key that does not fit the tokens, except with --force", async () => {
    const { folder, data, file, output, run } = await scene({ sealKey: SEAL_KEY });
    rmSync(join(data, "seal.key"), { force: true });
    await run(backup, [file], { env: { CHATGPT_API_SEAL_KEY: SEAL_KEY } });
    const fresh = join(folder, "fresh");
    const wrong = { CHATGPT_API_SEAL_KEY: SEAL_KEY.toUpperCase() };
    for (const env of [{}, wrong]) {
      expect(await messageOf(() => run(restore, [file], { data: fresh, env }))).toContain(
        "Set CHATGPT_API_SEAL_KEY to the key that the server had",
      );
      expect(existsSync(join(fresh, "server.db"))).toBe(false);
    }
    expect(await run(restore, [file], { data: fresh, env: { CHATGPT_API_SEAL_KEY: SEAL_KEY } })).toBe(0);
    expect(output.err).toBe("");
    expect(await run(restore, [file, "--force"], { data: join(folder, "forced") })).toBe(0);
    expect(output.err).toContain("opens 0 of 1 tokens");
  });

  test.each<[string, (file: string) => unknown, string]>([
    ["is missing", (file) => rmSync(file), "does not exist"],
    ["is not an archive", (file) => writeFileSync(file, "no archive\n".repeat(99)), "not a tar archive"],
    ["is empty", (file) => writeFileSync(file, ""), "cut short"],
    ["is cut short", (file) => writeFileSync(file, readFileSync(file).subarray(0, 9_000)), "cut short"],
    ["has one bit changed in the database", (file) => flip(file, 20_000), "Its server.db is damaged"],
    [
      "lacks a key",
      (file) => repack(file, (folder) => rmSync(join(folder, "seal.key"))),
      "Its seal.key is damaged or missing",
    ],
    [
      "lacks the manifest",
      (file) => repack(file, (folder) => rmSync(join(folder, "backup.json"))),
      "not a backup",
    ],
    [
      "was made by a newer program",
      (file) => repack(file, (folder) => edit(folder, { schema: 999 })),
      "newer version",
    ],
    ["has a newer format", (file) => repack(file, (folder) => edit(folder, { version: 2 })), "cannot read"],
    [
      "has another program's database",
      (file) => repack(file, (folder) => change(folder, "PRAGMA application_id = 7")),
      "belongs to another program",
    ],
    [
      "has a newer database than it says",
      (file) => repack(file, (folder) => change(folder, "PRAGMA user_version = 999")),
      "newer",
    ],
    ["has a trigger", (file) => repack(file, (folder) => change(folder, TRIGGER)), 'trigger "pwn"'],
    [
      "has a view in the place of a table",
      (file) => repack(file, (folder) => change(folder, "DROP TABLE audit; CREATE VIEW audit AS SELECT 1")),
      'view "audit"',
    ],
    [
      "has a changed table",
      (file) => repack(file, (folder) => change(folder, "ALTER TABLE audit ADD extra AS (abs(seq))")),
      'table "audit"',
    ],
    [
      "lacks an index",
      (file) => repack(file, (folder) => change(folder, "DROP INDEX audit_at")),
      'lacks its index "audit_at"',
    ],
    [
      "has a manifest of 2 MB",
      (file) => repack(file, (folder) => edit(folder, { more: "x".repeat(2 * 1024 ** 2) })),
      "Its backup.json is too large",
    ],
    [
      "says that it was made at no time",
      (file) => repack(file, (folder) => edit(folder, { made_at: "\x1b[2J2026" })),
      "cannot read its backup.json",
    ],
    [
      "has an agent key of one character",
      (file) => repack(file, (folder) => replace(folder, "agent.key", "a\n")),
      "The key in agent.key is not valid. Give 8 to 256 characters",
    ],
    [
      "has a short seal key",
      (file) => repack(file, (folder) => replace(folder, "seal.key", "short\n")),
      "The key in seal.key is too short.",
    ],
    [
      "has other bytes in the place of the database",
      (file) => repack(file, (folder) => replace(folder, "server.db", "no database\n".repeat(99))),
      "The database server.db is damaged, or not a SQLite database.",
    ],
    [
      "has half of the database",
      (file) => repack(file, (folder) => replace(folder, "server.db", halfOf(join(folder, "server.db")))),
      "The database server.db is damaged, or not a SQLite database.",
    ],
    [
      "has rows that refer to missing rows",
      (file) => repack(file, (folder) => change(folder, "DELETE FROM users")),
      "rows that refer to missing rows",
    ],
  ])("restore refuses a file that %s in one line, and changes nothing", async (_, spoil, reason) => {
    const { data, file, run, store, list, user } = await scene();
    await run(backup, [file]);
    await store.close();
    await spoil(file);
    const before = readFileSync(join(data, "server.db"));
    const message = await messageOf(() => run(restore, [file]));
    expect(message).toStartWith(`Cannot restore ${file}: `);
    expect(message).toContain(reason);
    expect(readFileSync(join(data, "server.db")).equals(before)).toBe(true);
    expect(readdirSync(data).sort()).toEqual(["agent.key", "seal.key", "server.db", "server.db.lock"]);
    expect(await list()).toEqual([user]);
  });

  test("restore ignores links, folders, and files that do not belong to a backup", async () => {
    const { folder, data, file, run, store, list, user } = await scene();
    await run(backup, [file]);
    await store.close();
    await repack(file, (unpacked) => {
      mkdirSync(join(unpacked, "folder"));
      writeFileSync(join(unpacked, "folder", "agent.key"), "another key");
      writeFileSync(join(unpacked, "other.file"), "other");
      symlinkSync("/etc/passwd", join(unpacked, "a-link"));
    });
    expect(await run(restore, [file])).toBe(0);
    expect(await list(data)).toEqual([user]);
    const left = readdirSync(data).filter((name) => !name.startsWith("replaced-"));
    expect(left.sort()).toEqual(["agent.key", "seal.key", "server.db", "server.db.lock"]);
    expect(readdirSync(folder).sort()).toEqual(["data", "server.backup"]);
  });

  test("restore refuses a backup whose key is a link", async () => {
    const { data, file, run, store } = await scene();
    await run(backup, [file]);
    await store.close();
    await repack(file, (unpacked) => {
      rmSync(join(unpacked, "agent.key"));
      symlinkSync("/etc/hostname", join(unpacked, "agent.key"));
    });
    expect(await messageOf(() => run(restore, [file]))).toContain("Its agent.key is damaged or missing");
    expect(readFileSync(join(data, "agent.key"), "utf8")).toBe("the-agent-key\n");
  });

  test("restore accepts a backup that tar repacked", async () => {
    const { data, file, run, store, list, user } = await scene();
    await run(backup, [file]);
    await store.close();
    await repack(file, () => {});
    expect(await run(restore, [file])).toBe(0);
    expect(await list(data)).toEqual([user]);
  });
});

const TRIGGER = "CREATE TRIGGER pwn AFTER INSERT ON audit BEGIN DELETE FROM users; END";

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 4;
  writeFileSync(file, bytes);
}

async function repack(file: string, edit: (folder: string) => void): Promise<void> {
  const folder = tempFolder();
  await unpackTar(file, folder);
  edit(folder);
  await packTar(folder, file);
}

function edit(folder: string, changes: object): void {
  const path = join(folder, "backup.json");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...changes }));
}

/** Changes the database, and updates the manifest to match. */
function change(folder: string, sql: string): void {
  const path = join(folder, "server.db");
  const database = new Database(path);
  database.run("PRAGMA foreign_keys = OFF");
  database.run(sql);
  database.close();
  replace(folder, "server.db", readFileSync(path));
}

const halfOf = (path: string) => readFileSync(path).subarray(0, readFileSync(path).length / 2);

/** Replaces a file of the backup, and updates the manifest to match. */
function replace(folder: string, name: string, content: string | Uint8Array): void {
  writeFileSync(join(folder, name), content);
  const bytes = readFileSync(join(folder, name));
  const { files } = JSON.parse(readFileSync(join(folder, "backup.json"), "utf8"));
  const entry = { bytes: bytes.length, sha256: Bun.SHA256.hash(bytes, "hex") };
  edit(folder, { files: { ...files, [name]: entry } });
}
