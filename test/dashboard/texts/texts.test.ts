import { expect, test } from "bun:test";
import { Glob } from "bun";
import english from "../../../src/dashboard/texts/en.json";
import { richText, text } from "../../../src/dashboard/texts/texts.ts";

const source = (
  await Promise.all(
    Array.from(new Glob("src/dashboard/**/*.{ts,tsx}").scanSync(), (path) => Bun.file(path).text()),
  )
).join("\n");

test("a text has its values in place of its placeholders", () => {
  expect(text("nav.agents", { count: 3 })).toBe(english["nav.agents"]);
  expect(richText("nav.agents", {})).toEqual([english["nav.agents"]]);
});

test("every text is used by the dashboard, so that nobody translates one that is not shown", () => {
  const unused = Object.keys(english).filter(
    (key) => !source.includes(`"${key}"`) && !source.includes(`"${key.replace(/\.(one|other)$/, "")}"`),
  );
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
