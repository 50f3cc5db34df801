import { expect, test } from "bun:test";
import { Glob } from "bun";
import english from "../../../src/dashboard/texts/en.json";
import { countedRichText, countedText, richText, text } from "../../../src/dashboard/texts/texts.ts";

const source = (
  await Promise.all(
    Array.from(new Glob("src/dashboard/**/*.{ts,tsx}").scanSync(), (path) => Bun.file(path).text()),
  )
).join("\n");

test("a text has its values in place of its placeholders", () => {
  expect(text("nav.agents", { count: 3 })).toBe(english["nav.agents"]);
  expect(richText("nav.agents", {})).toEqual([english["nav.agents"]]);
});

/** Patterns of the keys that are put together in the source: `traffic.caption.${view.by}`, for example. */
const builtKeys = [...source.matchAll(/`([a-zA-Z]+\.[\w.-]*)\$\{[^}`]+\}([\w.-]*)`/g)].map(
  ([, start = "", end = ""]) => new RegExp(`^${RegExp.escape(start)}[\\w-]+${RegExp.escape(end)}$`),
);

test("a counted text has its plural form, and its count with separators", () => {
  expect(countedText("join.status.models", 1)).toBe("The agent offers 1 model:");
  expect(countedText("join.status.models", 1234)).toBe("The agent offers 1,234 models:");
  expect(countedRichText("agents.failures.model", 1, { model: "m", state: "s", reason: "r" })).toEqual([
    "",
    "m",
    ": ",
    "1",
    " failure in a row. ",
    "s",
    " The last reason: ",
    "r",
    ".",
  ]);
});

test("every text is used by the dashboard, so that nobody translates one that is not shown", () => {
  const unused = Object.keys(english).filter((key) => {
    const names = [key, key.replace(/\.(one|other)$/, "")];
    return !names.some((name) => source.includes(`"${name}"`) || builtKeys.some((built) => built.test(name)));
  });
  expect(unused).toEqual([]);
});

test("a counted text has both plural forms of English, which name the same placeholders", () => {
  const placeholders = (pattern: string) => [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const table: Record<string, string> = english;
  const faults = Object.keys(table)
    .filter((key) => /\.(one|other)$/.test(key))
    .filter((key) => {
      const start = key.replace(/\.(one|other)$/, "");
      const [one, other] = [table[`${start}.one`], table[`${start}.other`]];
      if (one === undefined || other === undefined) return true;
      const named = placeholders(other).filter((name) => name !== "count");
      return (
        placeholders(one)
          .filter((name) => name !== "count")
          .join() !== named.join()
      );
    });
  expect(faults).toEqual([]);
});

test("the table is in the order of its keys, and no text is empty", () => {
  const keys = Object.keys(english);
  expect(keys).toEqual(keys.toSorted());
  expect(Object.values(english).filter((value) => value.trim() === "")).toEqual([]);
});

/** The files that build and serve the page: their errors are for its developers. */
const BUILD: ReadonlySet<string> = new Set(["assets.ts", "bundle.ts", "inline-texts.ts"]);

/** A word of a sentence as the value of an attribute that people read, as an error, or as a toast. */
const LITERAL =
  /\b(?:label|title|placeholder|hint|lead|caption|legend|about|submit|action|note|what|aria-label)=(?:"|\{["`])[^"`]*[a-z]|(?:new Error|showToast|title:|label:|about:)[ (]*["`][^"`]*[a-z][^"`]* [a-z]/g;

test("no label, hint, error or toast has its text in the source", async () => {
  const paths = Array.from(new Glob("**/*.{ts,tsx}").scanSync("src/dashboard")).filter(
    (path) => !BUILD.has(path),
  );
  const found = await Promise.all(
    paths.map(async (path) => {
      const source = await Bun.file(`src/dashboard/${path}`).text();
      return [...source.matchAll(LITERAL)].map(([literal]) => `${path}: ${literal}`);
    }),
  );
  expect(found.flat()).toEqual([]);
});
