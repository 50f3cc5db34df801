import { expect, onTestFinished, test } from "bun:test";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { deleteLeftSpools, Spool } from "../src/spool.ts";
import { tempFolder } from "./support/store.ts";

async function spoolWith(...pieces: Uint8Array[]) {
  const folder = join(tempFolder(), "uploads");
  const spool = new Spool(folder);
  onTestFinished(() => spool.close());
  for (const piece of pieces) await spool.write(piece);
  return { spool, folder };
}

const piece = (size: number, value: number) => new Uint8Array(size).fill(value);
const into = (size: number) => new Uint8Array(size);

test("few bytes stay in memory, and can be read again and again", async () => {
  const { spool, folder } = await spoolWith(piece(10, 1), piece(10, 2));
  for (let times = 0; times < 2; times++)
    expect([...(await spool.read(5, into(10)))]).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
  expect(await spool.read(20, into(10))).toHaveLength(0);
  expect(stat(folder)).rejects.toThrow();
});

test("many bytes are in a file of a folder for the owner only, and nothing has a name when it is closed", async () => {
  const { spool, folder } = await spoolWith(piece(200_000, 1), piece(200_000, 2), piece(5, 3));
  expect(spool.bytes).toBe(400_005);
  if (process.platform !== "win32") {
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await readdir(folder)).toEqual([]);
  }
  expect([...(await spool.read(199_999, into(2)))]).toEqual([1, 2]);
  expect([...(await spool.read(399_999, into(100)))]).toEqual([2, 3, 3, 3, 3, 3]);
  await spool.close();
  await spool.close();
  expect(await readdir(folder)).toEqual([]);
  expect(spool.read(0, into(1))).rejects.toThrow("closed");
});

test("a spool does not change when its writer uses the bytes again", async () => {
  const own = piece(10, 1);
  const { spool } = await spoolWith(own);
  own.fill(9);
  expect([...(await spool.read(0, into(2)))]).toEqual([1, 1]);
});

test("files that were left behind are deleted, and nothing else is", async () => {
  const folder = join(tempFolder(), "uploads");
  await deleteLeftSpools(folder);
  await mkdir(folder);
  for (const name of [crypto.randomUUID(), crypto.randomUUID(), "notes.txt", `${crypto.randomUUID()}.wav`])
    await Bun.write(join(folder, name), "x");
  await deleteLeftSpools(folder);
  expect((await readdir(folder)).map((name) => name.slice(-4)).sort()).toEqual([".txt", ".wav"]);
});
