import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { MAY_IMPORT } from "../support/layers.ts";
import { readPage, sectionOf, tableRows } from "./pages.ts";

const ROOT = join(import.meta.dir, "../..");
const PAGE = readPage("docs/architecture.md");
const HOUSE = sectionOf(PAGE, "## The house");
/** The folders of `src`, and the program itself. */
const PARTS = Object.keys(MAY_IMPORT).filter((part) => !part.includes(".") || part === "main.ts");

/** Returns the parts that a part may import. A single file of a part stands for it. */
function usedBy(part: string): string[] {
  const owner = (path: string) => PARTS.find((each) => path === each || path.startsWith(`${each}/`));
  const owners = (MAY_IMPORT[part]?.ours ?? []).map(owner);
  return [...new Set(owners.filter((each) => each !== undefined && each !== part))].sort() as string[];
}

/** The storeys of the drawing from the top, each with its parts. */
function storeys(): string[][] {
  const lines = HOUSE.split("\n").filter((line) => line.startsWith("│"));
  return lines.map((line) => (line.split("│")[1] ?? "").trim().split(/\s+/));
}

test("the drawing of the house has every folder of the sources once", () => {
  expect(storeys().flat().sort()).toEqual([...PARTS].sort());
});

test("in the drawing of the house every part uses only parts on lower storeys", () => {
  const levels = new Map(storeys().flatMap((parts, level) => parts.map((part) => [part, level])));
  const level = (part: string) => levels.get(part) ?? Number.NaN;
  const wrong = PARTS.flatMap((part) =>
    usedBy(part)
      .filter((used) => !(level(used) > level(part)))
      .map((used) => `${part} uses ${used}`),
  );
  expect(wrong).toEqual([]);
});

test("the table below the drawing says what each part may use", () => {
  const rows = tableRows(HOUSE).map((cells) => cells.map((cell) => cell.match(/[\w.-]+/g) ?? []));
  const written = Object.fromEntries(rows.map(([[part = ""] = [], used = []]) => [part, [...used].sort()]));
  const real = PARTS.map((part) => [part, usedBy(part).length > 0 ? usedBy(part) : ["nothing"]]);
  expect(written).toEqual(Object.fromEntries(real));
});

test("every file and folder that the life of a request names exists", () => {
  const named = [...sectionOf(PAGE, "## The life of a request").matchAll(/`([a-z-]+\/[\w/.-]+)`/g)];
  expect(named.length).toBeGreaterThan(10);
  const missing = named.filter(([, path = ""]) => !existsSync(join(ROOT, "src", path)));
  expect(missing.map(([, path]) => path)).toEqual([]);
});
