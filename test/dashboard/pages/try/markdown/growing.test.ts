import { expect, test } from "bun:test";
import { costOf, SLICE_COST, slicesOf } from "../../../../../src/dashboard/pages/try/markdown/slices.ts";
import { flat, nodesOf, shownNodes, textOf } from "./shown-nodes.ts";

test("a table with very many rows is read row by row to its end", () => {
  const table = `| a | b |\n|---|---|\n${"| 1 | 2 |\n".repeat(10_000)}\nafter`;
  const { nodes, steps } = shownNodes(table);
  expect(nodes[0]).toMatchObject({ tag: "table", rows: { length: 10_000 } });
  expect(nodes.slice(1)).toEqual([{ tag: "p", children: ["after"] }]);
  expect(steps).toBeLessThan(20);
});

test("a table shows its last row before the line has ended, and ends where other blocks begin", () => {
  const rows = Array.from({ length: 40 }, (_, index) => `| ${index} | x |`).join("\n");
  const table = `| a | b |\n|---|---|\n${rows}`;
  const shown = (text: string) => {
    const ends = Array.from({ length: text.length }, (_, index) => index + 1);
    return shownNodes(text, ends).nodes;
  };
  expect(shown(table)[0]).toMatchObject({ tag: "table", rows: { length: 40 } });
  for (const [after, tag] of [
    ["\n\nafter", "p"],
    ["\n \nafter", "p"],
    ["\n```js\nafter", "code-block"],
    ["\n> after", "blockquote"],
    ["\n# after", "h3"],
  ]) {
    const nodes = shown(`${table}${after}`);
    expect(nodes[0], after).toMatchObject({ tag: "table", rows: { length: 40 } });
    expect(nodes.slice(1), after).toMatchObject([{ tag }]);
    expect(nodesOf(`${table}${after}`), after).toEqual(nodes);
  }
});

const GROWING: Record<string, string> = {
  "a flat list": "- item **bold** with `code`\n".repeat(2_000),
  "a numbered list": "1. item\n".repeat(4_000),
  "a list with empty lines": "- a\n\n".repeat(4_000),
  "a list in a list": "- item\n  - one\n  - two\n".repeat(1_500),
  "a table": `| a | b |\n|---|---|\n${"| one | **two** |\n".repeat(2_000)}`,
  paragraphs: "Some words in a line.\n\n".repeat(1_500),
  code: `\`\`\`js\n${"let a = 1;\n".repeat(3_000)}\`\`\`\n`,
};

for (const [what, text] of Object.entries(GROWING))
  test(`an answer of ${what} that comes in small pieces is parsed a piece at a time`, () => {
    const PIECE = 40;
    const ends = Array.from({ length: Math.ceil(text.length / PIECE) }, (_, index) => (index + 1) * PIECE);
    const { readLength, steps } = shownNodes(text, ends);
    // With each piece, no more than the block that is still open.
    expect(readLength / ends.length).toBeLessThan(1_200);
    expect(steps).toBeLessThan(ends.length * 2 + 10);
  });

test("a numbered list is counted from its first item, in whatever pieces it comes", () => {
  const text = "3. item\n".repeat(500);
  for (const ends of [[text.length], Array.from({ length: 400 }, (_, index) => (index + 1) * 10)]) {
    let number = 3;
    for (const node of shownNodes(text, ends).nodes.flatMap(slicesOf)) {
      if (typeof node !== "object" || node.tag !== "ol") throw new Error("There is more than the list.");
      expect(node.start).toBe(number);
      number += node.children.length;
    }
    expect(number).toBe(503);
  }
});

test("a long list, quote or paragraph is drawn in slices, which are all that was read", () => {
  const list = "- item **bold** with `code`\n".repeat(250);
  const quote = "> a\n".repeat(1_900);
  const lines = "`a`\n".repeat(900);
  for (const text of [list, quote, lines]) {
    const [node, ...others] = nodesOf(text);
    if (node === undefined) throw new Error("Nothing is shown.");
    const slices = [node, ...others].flatMap(slicesOf);
    expect(slices.length).toBeGreaterThan(1);
    for (const slice of slices) expect(costOf(slice)).toBeLessThan(SLICE_COST * 1.1);
    expect(textOf(slices)).toBe(textOf([node, ...others]));
  }
});

test("a long list keeps its items and numbers, and is read only once", () => {
  const list = Array.from(
    { length: 4_000 },
    (_, index) => `${index + 1}. item ${index + 1} of the list\n`,
  ).join("");
  const { nodes, steps } = shownNodes(list);
  const items = flat(nodes).filter((node) => typeof node === "object" && node.tag === "li");
  expect(items).toHaveLength(4_000);
  expect(nodes.at(-1)).toMatchObject({ start: expect.any(Number) });
  expect(steps).toBeLessThan(100);
});
