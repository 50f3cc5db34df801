import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

/** README and all pages below `docs`, relative to the root of the repository. */
export const PAGES: readonly string[] = [
  "README.md",
  ...new Bun.Glob("docs/**/*.md").scanSync({ cwd: ROOT }),
].sort();

/** Returns the text of a file of the repository. */
export const readPage = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Returns the rows of all tables of a page, or of a part of it, without their heads, as cells. */
export function tableRows(text: string): string[][] {
  const lines = text.split("\n");
  const isRule = (line: string | undefined) => /^\|( *:?-+:? *\|)+$/.test(line ?? "");
  return lines
    .filter((line, index) => line.startsWith("| ") && !isRule(line) && !isRule(lines[index + 1]))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
}

/** Returns the section of a page with this heading, until the next heading of the same level or a higher one. */
export function sectionOf(text: string, heading: string): string {
  const [marks = ""] = /^#+/.exec(heading) ?? [];
  const [, section = ""] = text.split(`\n${heading}\n`);
  return section.split(new RegExp(`^#{1,${marks.length}} `, "m"))[0] ?? "";
}
