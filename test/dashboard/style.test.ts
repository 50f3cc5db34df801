import { expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "../../src/dashboard");

/** Joins the contents of all files that match. */
async function readAll(pattern: string): Promise<string> {
  const paths = [...new Bun.Glob(pattern).scanSync(root)];
  expect(paths.length).toBeGreaterThan(0);
  return (await Promise.all(paths.map((path) => Bun.file(join(root, path)).text()))).join("\n");
}

/** Classes whose names the page composes, or that uPlot's own elements have. */
const NOT_LITERAL = /^(tone|u)-/;

test("every class in the style sheets is used by the page", async () => {
  const styled = (await readAll("style/**/*.css")).matchAll(/\.([a-z][\w-]*)(?=[\s,.:{)>+~[])/g);
  const classes = new Set([...styled].map((match) => match[1] ?? ""));
  const words = new Set((await readAll("**/*.{ts,tsx,html}")).split(/["'`\s]+/));
  const unused = [...classes].filter((name) => !NOT_LITERAL.test(name) && !words.has(name));
  expect(classes.size).toBeGreaterThan(100);
  expect(unused).toEqual([]);
});

test("each class is laid out in one style sheet, so that no page changes another", async () => {
  const sheets = new Map<string, string[]>();
  for (const path of new Bun.Glob("style/**/*.css").scanSync(root)) {
    const sheet = (await Bun.file(join(root, path)).text()).replaceAll(/\/\*.*?\*\//gs, "");
    // Those in a media query adapt what a sheet says elsewhere.
    for (const [, selectors = ""] of sheet.matchAll(/^([^@{}\s][^{}]*)\{/gm))
      for (const [, name = ""] of selectors.matchAll(/(?:^|,\s*)\.([\w-]+)(?=\s*[,{]|\s*$)/g))
        sheets.set(name, [...new Set([...(sheets.get(name) ?? []), path])]);
  }
  expect(sheets.size).toBeGreaterThan(100);
  expect([...sheets].filter(([, paths]) => paths.length > 1)).toEqual([]);
});
