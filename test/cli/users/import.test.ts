import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCallers } from "../../../src/auth/callers.ts";
import { createSeal, loadSeal, type Seal } from "../../../src/auth/seal.ts";
import { createSecret } from "../../../src/auth/secret.ts";
import { createUsers, type UserWithToken } from "../../../src/auth/users.ts";
import { users as command } from "../../../src/cli/users.ts";
import { CommandError } from "../../../src/errors.ts";
import { userPrincipal } from "../../../src/principal.ts";
import type { Store } from "../../../src/store/store.ts";
import { failureOf, newDataFolder, openTestFile, tempFolder } from "../../support/store.ts";

const SEAL_KEY = "a seal key of thirty-two characters, from the environment";

const newRow = (): UserWithToken => ({ user_id: crypto.randomUUID(), token: crypto.randomUUID() });

/** Returns a data folder, a path for the reference server's database, and the command with its output. */
function scene(data = newDataFolder()) {
  const folder = tempFolder();
  const source = join(folder, "auth.db");
  const output = { out: "", err: "" };
  const run = (args: string[], env: Record<string, string> = {}) =>
    command(args, {
      env,
      out: (text) => {
        output.out += text;
      },
      err: (text) => {
        output.err += text;
      },
    });
  return {
    data,
    source,
    output,
    run,
    runImport: (env?: Record<string, string>) => run(["import", source, "--data", data], env),
    open: () => openTestFile(join(data, "server.db")),
  };
}

/** Writes a database like the reference server: the same names, types and constraints. */
function writeReference(path: string, rows: readonly UserWithToken[]): void {
  const database = new Database(path, { create: true });
  database.run("CREATE TABLE IF NOT EXISTS tokens (user_id TEXT PRIMARY KEY, token TEXT UNIQUE)");
  const insert = database.prepare("INSERT INTO tokens (user_id, token) VALUES (?, ?)");
  for (const { user_id, token } of rows) insert.run(user_id, token);
  insert.finalize();
  database.close(true);
}

async function listIn(data: string, store: Store): Promise<UserWithToken[]> {
  const seal = loadSeal({ path: join(data, "seal.key") });
  return tokensOf(store, seal);
}

async function tokensOf({ users }: Store, seal: Seal): Promise<UserWithToken[]> {
  const listed = await createUsers({ users, seal }).list();
  return listed.map(({ id, token }) => ({ user_id: id, token }));
}

describe("users import", () => {
  test("users import takes every user, in order, and their tokens go on working", async () => {
    const { data, source, output, runImport, open } = scene();
    const rows = Array.from({ length: 50 }, newRow);
    writeReference(source, rows);
    const before = readFileSync(source);
    expect(await runImport()).toBe(0);
    expect(output).toEqual({ out: "Imported 50 users; 0 existed already.\n", err: "" });
    const store = open();
    expect(await listIn(data, store)).toEqual(rows);
    const callers = createCallers({ adminKey: createSecret("admin"), users: store.users });
    for (const { user_id, token } of rows)
      expect(await callers.identify(new Headers({ authorization: token }))).toMatchObject({
        principal: userPrincipal(user_id),
      });
    expect(readFileSync(source)).toEqual(before);
  });

  test("users import may be run again, and then takes only new users", async () => {
    const { data, source, output, runImport, open } = scene();
    const rows = [newRow(), newRow()];
    writeReference(source, rows);
    await runImport();
    const late = newRow();
    writeReference(source, [late]);
    expect(await runImport()).toBe(0);
    expect(output.out).toEndWith("Imported 1 user; 2 existed already.\n");
    expect(await listIn(data, open())).toEqual([...rows, late]);
  });

  test("a server that has the store open accepts imported users at once", async () => {
    const { source, runImport, open } = scene();
    const row = newRow();
    writeReference(source, [row]);
    const { users } = open();
    const callers = createCallers({ adminKey: createSecret("admin"), users });
    await runImport();
    expect(await callers.identify(new Headers({ authorization: row.token }))).toMatchObject({
      principal: userPrincipal(row.user_id),
    });
  });

  test("users import encrypts tokens with the seal key of the environment", async () => {
    const { data, source, runImport, open } = scene();
    const row = newRow();
    writeReference(source, [row]);
    await runImport({ CHATGPT_API_SEAL_KEY: SEAL_KEY });
    expect(existsSync(join(data, "seal.key"))).toBe(false);
    expect(await tokensOf(open(), createSeal(SEAL_KEY))).toEqual([row]);
  });

  test("users import leaves no token in plain text in the data folder or in its output", async () => {
    const { data, source, output, runImport } = scene();
    const rows = [newRow(), newRow()];
    writeReference(source, rows);
    await runImport();
    const bytes = readFileSync(join(data, "server.db"));
    for (const { token } of rows) {
      expect(bytes.includes(token)).toBe(false);
      expect(output.out + output.err).not.toContain(token);
    }
  });

  test("users import accepts an empty table", async () => {
    const { source, output, runImport } = scene();
    writeReference(source, []);
    expect(await runImport()).toBe(0);
    expect(output.out).toBe("Imported 0 users; 0 existed already.\n");
  });

  test("users import imports nothing if there are conflicts, and lists each by its user, without the token", async () => {
    const { data, source, output, runImport, open } = scene();
    const [known, fresh] = [newRow(), newRow()];
    writeReference(source, [known]);
    await runImport();
    const other = scene();
    const rows = [
      fresh,
      { user_id: known.user_id, token: "another-token-1" },
      { user_id: "thief\u001b[2J", token: known.token },
      { user_id: "no-token", token: "" },
    ];
    writeReference(other.source, rows);
    output.out = "";
    const error = await failureOf(() => other.run(["import", other.source, "--data", data]));
    expect(error).toBeInstanceOf(CommandError);
    expect((error as CommandError).message).toBe("Imported no users: 3 of 4 cannot be imported.");
    expect((error as CommandError).exitCode).toBe(1);
    expect(other.output.out).toBe("");
    expect(other.output.err.split("\n")).toEqual([
      `The user "${known.user_id}" already exists here with another token.`,
      'The user "thief\\u001b[2J" has a token that belongs to another user here.',
      'The user "no-token" has no token.',
      "",
    ]);
    expect(await listIn(data, open())).toEqual([known]);
  });

  for (const [what, make, reason] of [
    ["is missing", () => {}, "The file does not exist."],
    ["is a folder", (path: string) => mkdirSync(path), ""],
    [
      "is not a database",
      (path: string) => writeFileSync(path, "no database\n".repeat(99)),
      "It is not a SQLite database.",
    ],
    [
      "has no such table",
      (path: string) => new Database(path).run("CREATE TABLE other (x)"),
      "It has no table `tokens`",
    ],
    [
      "has a table of that name with other columns",
      (path: string) => new Database(path).run("CREATE TABLE tokens (hash, token)"),
      "It has no table `tokens`",
    ],
    [
      "has ids that are not text",
      (path: string) => {
        writeReference(path, [newRow()]);
        new Database(path).run("INSERT INTO tokens VALUES (NULL, 'secret-token')");
      },
      "not text",
    ],
  ] as const) {
    test(`users import refuses a file that ${what} in one line, and creates no data folder`, async () => {
      const { data, source, output, runImport } = scene(join(tempFolder(), "data"));
      make(source);
      const error = (await failureOf(runImport)) as CommandError;
      expect(error).toBeInstanceOf(CommandError);
      expect(error.exitCode).toBe(1);
      expect(error.message).toStartWith(`Cannot import ${source}: `);
      expect(error.message).toContain(reason);
      expect(error.message).not.toMatch(/\n|secret-token/);
      expect(output).toEqual({ out: "", err: "" });
      expect(existsSync(data)).toBe(false);
    });
  }
});
