import { expect, test } from "bun:test";
import { createExports } from "../../../src/http/requests/export.ts";

/** Parts of a list that has no end, of which each is read when `release` is called. */
function createScene() {
  const reads: [place: string | null, limit: number][] = [];
  const waiting: (() => void)[] = [];
  const read = async (place: string | null, limit: number) => {
    reads.push([place, limit]);
    await new Promise<void>((resolve) => waiting.push(resolve));
    const rows = Array.from({ length: limit }, (_, row) => [reads.length, row]);
    return { rows, next: String(reads.length) };
  };
  const release = async () => {
    waiting.shift()?.();
    await Bun.sleep(0);
  };
  return { reads, read, release, exportAs: createExports() };
}

const readerOf = (response: Response) => {
  if (!response.body) throw new Error("no body");
  return response.body.getReader();
};

test("a part is read when the caller takes it, and none after the caller has left", async () => {
  const { reads, read, release, exportAs } = createScene();
  const file = { columns: ["part", "row"], limit: 100_000, before: "7" };
  const reader = readerOf(exportAs("requests.csv", file, read));
  await reader.read();
  await Bun.sleep(0);
  expect(reads).toEqual([]);
  const taken = reader.read();
  await Bun.sleep(0);
  expect(reads).toEqual([["7", 1_000]]);
  await release();
  expect(new TextDecoder().decode((await taken).value)).toStartWith("1,0\r\n1,1\r\n");
  await reader.cancel();
  await Bun.sleep(0);
  expect(reads).toHaveLength(1);
});

test("the parts of several files are read one after another, and a failure breaks one file off", async () => {
  const { reads, read, release, exportAs } = createScene();
  const file = { columns: ["a"], limit: 1_500, before: null };
  const failing = exportAs("a.csv", file, () => Promise.reject(new Error("the database is away")));
  const [one, other] = [exportAs("b.csv", file, read), exportAs("c.csv", file, read)];
  const texts = [one.text(), other.text()];
  await expect(failing.text()).rejects.toThrow("the database is away");
  for (let part = 1; part <= 4; part++) {
    await Bun.sleep(0);
    expect(reads).toHaveLength(part);
    await release();
  }
  for (const text of await Promise.all(texts)) expect(text.trim().split("\r\n")).toHaveLength(1_501);
  expect(reads.map(([, limit]) => limit).toSorted()).toEqual([1_000, 1_000, 500, 500]);
});
