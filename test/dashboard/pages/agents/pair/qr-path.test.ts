import { expect, test } from "bun:test";
import { encode } from "uqr";
import { qrPath } from "../../../../../src/dashboard/pages/agents/pair/qr-path.ts";

const LINK = "https://chat.example.com/pair#7F4K-Q2PX";
const MARGIN = 4;

/** Returns the dark modules that a path fills. */
function modulesOf(path: string, size: number): boolean[][] {
  const modules = Array.from({ length: size }, () => Array<boolean>(size).fill(false));
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g))
    modules[Number(y)]?.fill(true, Number(x), Number(x) + Number(length));
  return modules;
}

test("the path fills exactly the dark modules of the code, within the margin that readers need", () => {
  const { size, path } = qrPath(LINK);
  const { data } = encode(LINK, { ecc: "M", border: 0 });
  expect(size).toBe(data.length + 2 * MARGIN);
  expect(path.replaceAll(/M\d+ \d+h(\d+)v1h-\1z/g, "")).toBe("");
  const modules = modulesOf(path, size);
  const inner = modules.slice(MARGIN, -MARGIN).map((row) => row.slice(MARGIN, -MARGIN));
  expect(inner).toEqual(data);
  const count = (rows: readonly (readonly boolean[])[]) => rows.flat().filter(Boolean).length;
  expect(count(modules)).toBe(count(data));
});
