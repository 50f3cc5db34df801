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
