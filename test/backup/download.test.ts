import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createBackups, type MakeBackup } from "../../src/backup/download.ts";
import { ERRORS } from "../../src/error-table.ts";
import type { AppError } from "../../src/errors.ts";
import { failureOf, tempFolder } from "../support/store.ts";
import { until } from "../support/until.ts";

const never = new AbortController().signal;
const writing =
  (text: string): MakeBackup =>
  async (file) =>
    void writeFileSync(file, text, { mode: 0o600 });

function scene(make: MakeBackup) {
  const data = tempFolder();
  return { data, left: () => readdirSync(data), backups: createBackups({ data, make }) };
}

const codeOf = async (run: () => unknown) => ((await failureOf(run)) as AppError).code;

describe("a backup that is downloaded", () => {
  test("a download has all of the backup, which is deleted from the disk once it was read", async () => {
    const text = "0123456789".repeat(100_000);
    const { data, left, backups } = scene(async (file) => {
      expect((statSync(join(file, "..")).mode & 0o777).toString(8)).toBe("700");
      await writing(text)(file, never);
    });
    const archive = await backups.take(never);
    expect(readdirSync(join(data, left()[0] ?? ""))).toEqual(["server.backup"]);
    expect(await new Response(archive).text()).toBe(text);
    expect(left()).toEqual([]);
    expect(await new Response(await backups.take(never)).text()).toBe(text);
  });

  test("a download of data that is in PostgreSQL is refused, and names the tool for that", async () => {
    const backups = createBackups({ data: undefined, make: writing("x") });
    for (const refuse of [() => backups.take(never), () => backups.requireData()])
      expect(await codeOf(refuse)).toBe("backup_external");
    expect(ERRORS.backup_external.message).toContain("pg_dump");
  });

  test("a second download is refused until the first one was read to its end", async () => {
    const { backups } = scene(writing("x"));
    const first = backups.take(never);
    expect(await codeOf(() => backups.take(never))).toBe("backup_busy");
    const archive = await first;
    expect(await codeOf(() => backups.take(never))).toBe("backup_busy");
    await archive.cancel();
    await (await backups.take(never)).cancel();
  });

  test("the backup is deleted from the disk if its reader hangs up early", async () => {
    const { left, backups } = scene(writing("x".repeat(4 * 1024 * 1024)));
    const reader = (await backups.take(never)).getReader();
    expect((await reader.read()).value?.length).toBe(256 * 1024);
    await reader.cancel();
    expect(left()).toEqual([]);
    const caller = new AbortController();
    const archive = await backups.take(caller.signal);
    caller.abort();
    await expect(new Response(archive).text()).rejects.toThrow("canceled");
    await until(() => left().length === 0);
    await (await backups.take(never)).cancel();
  });

  test("making a backup stops when its caller hangs up, or when the server stops", async () => {
    const hanging: MakeBackup = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("killed"))));
    const { left, backups } = scene(hanging);
    const caller = new AbortController();
    const taken = codeOf(() => backups.take(caller.signal));
    caller.abort();
    expect(await taken).toBe("caller_gone");
    const stopped = codeOf(() => backups.take(never));
    backups.stop();
    expect(await stopped).toBe("backup_failed");
    expect(left()).toEqual([]);
    backups.stop();
  });

  test("a backup that fails leaves no file, keeps its cause for the log, and does not block the next", async () => {
    let fails = true;
    const { left, backups } = scene(async (file) => {
      writeFileSync(`${file}.part`, "half of it");
      if (fails) throw new Error("the disk is full");
      await writing("x")(file, never);
    });
    const failure = (await failureOf(() => backups.take(never))) as AppError;
    expect([failure.code, String(failure.cause)]).toEqual(["backup_failed", "Error: the disk is full"]);
    expect(left()).toEqual([]);
    fails = false;
    expect(await new Response(await backups.take(never)).text()).toBe("x");
  });
});

test("a backup that cannot be read fails, leaves no file, and does not block the next", async () => {
  let isReadable = false;
  const { left, backups } = scene(async (file) => {
    // A folder can be opened like a file, but not read.
    if (isReadable) await writing("x")(file, never);
    else mkdirSync(file);
  });
  await expect(new Response(await backups.take(never)).text()).rejects.toThrow("EISDIR");
  expect(left()).toEqual([]);
  isReadable = true;
  expect(await new Response(await backups.take(never)).text()).toBe("x");
});

test("a folder that a crash left behind is deleted a day later, and no other", () => {
  const data = tempFolder();
  const yesterday = new Date(Date.now() - 25 * 3_600_000);
  for (const name of ["backup-Ab12cD", "backup-of-mine", "replaced-1"]) {
    mkdirSync(join(data, name));
    utimesSync(join(data, name), yesterday, yesterday);
  }
  mkdirSync(join(data, "backup-Xy34zZ"));
  createBackups({ data, make: writing("x") });
  expect(readdirSync(data).sort()).toEqual(["backup-Xy34zZ", "backup-of-mine", "replaced-1"]);
  expect(existsSync(join(data, "backup-Ab12cD"))).toBe(false);
});
