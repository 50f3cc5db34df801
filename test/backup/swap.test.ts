import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removeUnfinished, swapFiles } from "../../src/backup/swap.ts";
import { lockExclusive } from "../../src/store/sqlite/lock.ts";
import { tempFolder } from "../support/store.ts";

const NEW = ["server.db", "seal.key", "agent.key"];

/** A data folder with these files, and a staging folder with a whole new set. */
function scene(...names: string[]) {
  const data = tempFolder();
  const staging = join(data, "restore-0123456789ab.part");
  const stage = () => {
    mkdirSync(staging);
    for (const name of NEW) writeFileSync(join(staging, name), `new ${name}`);
  };
  for (const name of names) writeFileSync(join(data, name), `old ${name}`);
  stage();
  const files = () =>
    Object.fromEntries(
      readdirSync(data, { withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.name.endsWith(".lock"))
        .map(({ name }) => [name, readFileSync(join(data, name), "utf8")]),
    );
  return { data, staging, stage, files };
}

/** Renames until the step, which fails. */
function failingAt(step: number) {
  let steps = 0;
  return (from: string, to: string) => {
    if (++steps === step) throw new Error("the disk says no");
    renameSync(from, to);
  };
}

const NEW_FILES = Object.fromEntries(NEW.map((name) => [name, `new ${name}`]));

test("swapping files puts every file back when any step fails", () => {
  const { data, staging, files } = scene(...NEW, "server.db-wal");
  const before = files();
  // Four files are moved out and three are moved in.
  for (let step = 1; step <= 7; step++) {
    expect(() => swapFiles({ staging, data }, failingAt(step))).toThrow("the disk says no");
    expect(files()).toEqual(before);
    expect(readdirSync(staging).sort()).toEqual(NEW.toSorted());
  }
  expect(swapFiles({ staging, data })).toBeDefined();
  expect(files()).toEqual(NEW_FILES);
});

test.each([[...NEW, "server.db-wal", "server.db-shm"], ["server.db", "seal.key"], []])(
  "a restore that is killed at any step is undone at the next start, with the files %p %p %p %p %p",
  (...names) => {
    const { data, staging, stage, files } = scene(...(names.filter(Boolean) as string[]));
    const before = files();
    // The process ends at this step: nothing is moved back.
    const killedAt = (step: number) => (from: string, to: string) => {
      failures ??= failingAt(step);
      failures(from, to);
    };
    let failures: ReturnType<typeof failingAt> | undefined;
    for (let step = 1; step <= Object.keys(before).length + NEW.length; step++) {
      failures = undefined;
      killSwap(staging, data, killedAt(step));
      removeUnfinished(data);
      expect(files()).toEqual(before);
      expect(readdirSync(data).filter((name) => /^(restore|replaced)-/.test(name))).toEqual([]);
      stage();
    }
  },
);

/** Swaps the files up to a step that fails, and brings back the state of that moment, as a kill leaves it. */
function killSwap(staging: string, data: string, rename: (from: string, to: string) => void): void {
  const done: [from: string, to: string][] = [];
  let journal = "";
  let aside = "";
  try {
    swapFiles({ staging, data }, (from, to) => {
      journal ||= readFileSync(join(staging, "swap.json"), "utf8");
      aside ||= readdirSync(data).find((name) => name.startsWith("replaced-")) ?? "";
      rename(from, to);
      done.push([from, to]);
    });
  } catch {}
  if (aside !== "") mkdirSync(join(data, aside), { recursive: true });
  for (const [from, to] of done) renameSync(from, to);
  writeFileSync(join(staging, "swap.json"), journal);
}

test("the files that a killed restore unpacked are removed, also with a journal that is not whole", () => {
  const { data, staging, stage, files } = scene(...NEW);
  const before = files();
  for (const journal of [undefined, "", '{"aside":"replaced-1"', '{"aside":"../../etc","replaced":[]}']) {
    if (journal !== undefined) writeFileSync(join(staging, "swap.json"), journal);
    removeUnfinished(data);
    expect(existsSync(staging)).toBe(false);
    expect(files()).toEqual(before);
    stage();
  }
});

test("the files of a restore that runs are left alone, and so is a folder without any", () => {
  const { data, staging } = scene(...NEW);
  const release = lockExclusive(join(data, "server.db"));
  expect(() => removeUnfinished(data)).toThrow("is in use");
  expect(existsSync(staging)).toBe(true);
  release();
  rmSync(staging, { recursive: true });
  mkdirSync(join(data, "restore-of-mine.part"));
  removeUnfinished(data);
  expect(existsSync(join(data, "restore-of-mine.part"))).toBe(true);
  removeUnfinished(join(data, "missing"));
});
