import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { CommandError } from "../../../src/errors.ts";
import { ADMIN } from "../../../src/principal.ts";
import { openStore } from "../../../src/store/sqlite/open.ts";
import { createFakeClock } from "../../support/clock.ts";
import { failureOf, openTestFile, tempFolder } from "../../support/store.ts";
import { newUser } from "../rows.ts";

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
const root = process.getuid?.() === 0;
const NOBODY = "65534";

async function openElsewhere(...args: string[]): Promise<string> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "open-once.ts"), ...args], {
    stderr: "inherit",
  });
  return new Response(child.stdout).text();
}

/** Returns the message of the refusal, which is one line. */
async function refusalOf(path: string): Promise<string> {
  const error = await failureOf(() => openStore({ path }));
  expect(error).toBeInstanceOf(CommandError);
  const { message, exitCode } = error as CommandError;
  expect(exitCode).toBe(1);
  expect(message).toContain(path);
  expect(message).not.toContain("\n");
  return message;
}

async function filledDatabase(): Promise<string> {
  const path = join(tempFolder(), "server.db");
  const store = openTestFile(path);
  await store.users.add(Array.from({ length: 500 }, (_, index) => newUser(`user ${index}`)));
  await store.close();
  return path;
}

describe.skipIf(process.platform === "win32")("files", () => {
  test("the database files and their folder are for the owner only, whatever the umask", async () => {
    const folder = join(tempFolder(), "a", "data");
    const path = join(folder, "server.db");
    const umask = process.umask(0);
    try {
      const { users } = openTestFile(path);
      await users.add([newUser("a")]);
    } finally {
      process.umask(umask);
    }
    expect(mode(folder)).toBe("700");
    expect([path, `${path}-wal`, `${path}-shm`].map(mode)).toEqual(["600", "600", "600"]);
  });

  test("database files that others may read are closed to them", async () => {
    const path = await filledDatabase();
    chmodSync(path, 0o644);
    writeFileSync(`${path}-wal`, "", { mode: 0o644 });
    const { users } = openTestFile(path);
    await users.add([newUser("a")]);
    expect([path, `${path}-wal`].map(mode)).toEqual(["600", "600"]);
  });

  test("closing merges the WAL into the database and releases the files", async () => {
    const path = await filledDatabase();
    expect(existsSync(`${path}-wal`)).toBe(false);
    const database = new Database(path, { readonly: true });
    expect(database.query("SELECT count(*) FROM users").values()).toEqual([[500]]);
    database.close();
  });
});

test("a closed store fails all calls and schedules nothing, and closing it twice is harmless", async () => {
  const clock = createFakeClock();
  const store = openTestFile(join(tempFolder(), "server.db"), { after: clock.after });
  await store.close();
  await store.close();
  await expect(store.users.add([newUser("a")])).rejects.toThrow();
  await expect(store.users.list()).rejects.toThrow();
  await expect(store.users.findByTokenHash("x")).rejects.toThrow();
  await expect(store.conversations.find("x")).rejects.toThrow();
  store.conversations.remember({ id: "x", owner: ADMIN, agent: "x", kept: false, model: undefined });
  expect(clock.pending()).toBe(0);
});

describe("a database that cannot be used", () => {
  test("a folder in place of the database is refused in one line", async () => {
    const path = join(tempFolder(), "server.db");
    mkdirSync(path);
    expect(await refusalOf(path)).toContain("It is a folder");
  });

  test("a file in place of the data folder is refused in one line", async () => {
    const path = join(tempFolder(), "data", "server.db");
    writeFileSync(join(path, ".."), "");
    expect(await refusalOf(path)).toContain("A part of its path is a file");
  });

  test("a file that is not a database is refused in one line and not changed", async () => {
    const path = join(tempFolder(), "server.db");
    const text = "This is not a database.\n".repeat(1_000);
    writeFileSync(path, text);
    expect(await refusalOf(path)).toContain("It is not a SQLite database");
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  test("a truncated database is refused in one line", async () => {
    const path = await filledDatabase();
    truncateSync(path, statSync(path).size - 3 * 4_096);
    expect(await refusalOf(path)).toContain("It is damaged");
  });

  test("a database with an overwritten page is refused in one line", async () => {
    const path = await filledDatabase();
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 4 * 4_096, 5 * 4_096);
    writeFileSync(path, bytes);
    expect(await refusalOf(path)).toContain("It is damaged");
  });

  test("a database that lacks a table of its version is refused in one line", async () => {
    const path = await filledDatabase();
    const database = new Database(path);
    database.run("DROP TABLE tokens");
    database.close();
    expect(await refusalOf(path)).toContain("no such table: tokens");
  });

  test("a database of a newer version is refused in one line", async () => {
    const path = await filledDatabase();
    const database = new Database(path);
    database.run("PRAGMA user_version = 1000");
    database.close();
    expect(await refusalOf(path)).toContain("A newer version of this program wrote the database");
  });

  test.skipIf(process.platform === "win32")(
    "a database without permission is refused in one line",
    async () => {
      const folder = tempFolder();
      chmodSync(folder, 0o755);
      const [unreadable, unwritable] = [join(folder, "a.db"), join(folder, "new.db")];
      writeFileSync(unreadable, "", { mode: 0o000 });
      if (!root) chmodSync(folder, 0o555);
      for (const path of [unreadable, unwritable]) {
        const refusal = root ? await openElsewhere(path, "0", NOBODY) : await refusalOf(path);
        expect(refusal).toStartWith(`Cannot open the database ${path}: No permission. Check the owner`);
      }
      chmodSync(folder, 0o755);
    },
  );

  test.skipIf(!existsSync("/dev/full"))(
    "a database on a disk where no file can be created is refused in one line",
    async () => {
      expect(await refusalOf("/dev/full/server.db")).toContain("Choose another folder");
    },
  );
});

test("processes that open a new file at the same time all get the migrated database", async () => {
  for (let round = 0; round < 3; round++) {
    const path = join(tempFolder(), "server.db");
    const openAt = String(Date.now() + 400);
    const answers = await Promise.all(Array.from({ length: 4 }, () => openElsewhere(path, openAt)));
    expect(answers).toEqual(["ok", "ok", "ok", "ok"]);
    expect(await openTestFile(path).users.list()).toHaveLength(4);
  }
});
