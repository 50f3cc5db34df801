import { expect, test } from "bun:test";
import {
  createBlockReader,
  type Step,
} from "../../../../../src/dashboard/pages/try/markdown/block-reader.ts";
import { costOf, SLICE_COST, slicesOf } from "../../../../../src/dashboard/pages/try/markdown/slices.ts";
import {
  createTreeBuilder,
  type MarkdownNode,
  type MarkdownRow,
} from "../../../../../src/dashboard/pages/try/markdown/tree.ts";
import { chooseSeed, createRandom } from "../../../../support/random.ts";

/** Reads a text as the page does, in pieces that end at `ends`, and returns the nodes that are shown at the end. */
function shownNodes(text: string, ends: readonly number[] = [text.length]) {
  const reader = createBlockReader();
  const tree = createTreeBuilder(reader.links);
  const closed: MarkdownNode[] = [];
  const open: { nodes: MarkdownNode[]; row?: MarkdownRow | undefined } = { nodes: [] };
  let steps = 0;
  let readLength = 0;
  const append = (more: string) => {
    const last = closed.at(-1);
    if (typeof last === "object" && last.tag === "code-block") last.text += more;
    else closed.push({ tag: "code-block", lang: "", text: more });
  };
  /** Adds rows in place of the former open one. */
  const addRows = ({ rows, openRow }: Extract<Step, { type: "rows" }>) => {
    const last = closed.at(-1);
    if (typeof last !== "object" || last.tag !== "table") throw new Error("The rows have no table.");
    const before = last.rows.filter((row) => row !== open.row);
    open.row = openRow && tree.row(openRow);
    closed.splice(-1, 1, {
      ...last,
      rows: [...before, ...rows.map(tree.row), ...(open.row ? [open.row] : [])],
    });
  };
  const take = (step: Step) => {
    if ("closed" in step) {
      closed.push(...tree.blocks(step.closed));
      open.nodes = [];
    }
    if (step.type === "blocks") open.nodes = tree.openBlocks(step.open);
    if (step.type === "fence") closed.push({ tag: "code-block", lang: step.lang, text: "" });
    if (step.type === "code") append(step.text);
    if (step.type === "plain") {
      open.nodes = [];
      closed.push({ tag: "p", children: [step.text] });
    }
    if (step.type === "rows") addRows(step);
    if ("closed" in step || step.type === "rows") readLength += lengthOf(step);
  };
  for (const end of ends) {
    for (let step = reader.read(text.slice(0, end)); step; step = reader.read(text.slice(0, end))) {
      take(step);
      if (++steps > 100_000) throw new Error("The reader does not end.");
    }
  }
  const nodes = [...closed, ...open.nodes].map((node) =>
    typeof node === "object" && node.tag === "code-block"
      ? { ...node, text: node.text.replace(/\n$/, "") }
      : node,
  );
  return { nodes, steps, readLength };
}

/** Returns how many characters were parsed for a step. */
function lengthOf(step: Step): number {
  if (step.type === "rows") {
    const cells = [...step.rows, step.openRow ?? []].flat();
    return cells.reduce((sum, { text }) => sum + text.length + " | ".length, 0);
  }
  const tokens = "closed" in step ? [...step.closed, ...(step.type === "blocks" ? step.open : [])] : [];
  return tokens.reduce((sum, { raw }) => sum + raw.length, 0);
}

const nodesOf = (text: string) => shownNodes(text).nodes;

/** Every element and text below some nodes. */
function flat(nodes: readonly MarkdownNode[]): MarkdownNode[] {
  return nodes.flatMap((node): MarkdownNode[] => {
    if (typeof node === "string" || node.tag === "code-block") return [node];
    if (node.tag === "table") return [node, ...flat([...node.head.flat(), ...node.rows.flat(2)])];
    return [node, ...flat(node.children)];
  });
}

const textOf = (nodes: readonly MarkdownNode[]): string =>
  flat(nodes)
    .map((node) => (typeof node === "string" ? node : node.tag === "code-block" ? node.text : ""))
    .join("");

const hrefs = (nodes: readonly MarkdownNode[]) =>
  flat(nodes).flatMap((node) => (typeof node === "object" && "href" in node ? [node.href] : []));

const DOCUMENT = `# Title

Some **bold**, *slanted*, ~~gone~~ and \`code\`, a [link](https://example.com/a?b=1) and &lt;entities&gt;.
A second line.

- one
- two
  - nested \`x\`

3. three
4. four

- [x] done
- [ ] not yet

> quoted
> text

| a | b |
|:--|--:|
| 1 | **2** |
| 3<br>4 | 5 |

\`\`\`ts
const a = "<b>";

- no list
\`\`\`

---

[1]: https://example.com/1

The end. See [this][1].
`;

test("headings, lists, tables, quotes, code and links become elements", () => {
  const nodes = nodesOf(DOCUMENT);
  const tags = nodes.map((node) => (typeof node === "string" ? node : node.tag));
  expect(tags).toEqual(["h3", "p", "ul", "ol", "ul", "blockquote", "table", "code-block", "hr", "p"]);
  const inner = flat(nodes.slice(1, 2)).flatMap((node) => (typeof node === "string" ? [] : [node.tag]));
  expect(inner).toEqual(["p", "strong", "em", "del", "code", "a", "br"]);
  expect(textOf(nodes.slice(1, 2))).toContain("and <entities>.");
  expect(nodes[3]).toMatchObject({ start: 3 });
  expect(textOf(nodes.slice(4, 5))).toBe("☑ done☐ not yet");
  expect(nodes[6]).toMatchObject({ align: ["left", "right"], rows: { length: 2 } });
  expect(nodes[7]).toMatchObject({ lang: "ts", text: 'const a = "<b>";\n\n- no list' });
  expect(hrefs(nodes)).toEqual(["https://example.com/a?b=1", "https://example.com/1"]);
});

const seed = chooseSeed();

test(`a text that arrives in any pieces is shown as one that arrives at once (seed ${seed})`, () => {
  const random = createRandom(seed);
  const long = Array.from({ length: 12 }, (_, index) => DOCUMENT.replaceAll("Title", `Title ${index}`)).join(
    "\n",
  );
  for (const text of [DOCUMENT, long]) {
    const whole = textOf(nodesOf(text)).replaceAll(/\s/g, "");
    for (let round = 0; round < 10; round++) {
      const ends = Array.from({ length: 1 + random.below(60) }, () => random.below(text.length)).sort(
        (a, b) => a - b,
      );
      const { nodes } = shownNodes(text, [...ends, text.length]);
      expect(textOf(nodes).replaceAll(/\s/g, ""), `round ${round}`).toBe(whole);
    }
  }
});

test("a text that arrives letter by letter is read to its end", () => {
  const ends = Array.from({ length: DOCUMENT.length }, (_, index) => index + 1);
  expect(shownNodes(DOCUMENT, ends).nodes).toEqual(nodesOf(DOCUMENT));
});

test("HTML is shown as text, and links lead to the web and to mail only", () => {
  const hostile = `<script>alert(1)</script>

<img src=x onerror="alert(1)"> and <a href="javascript:alert(1)">x</a> inline

[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](data:text/html,<script>alert(1)</script>) [d](vbscript:x)
[e](/admin/users) [f](//evil.example.com) [g](file:///etc/passwd) [h](blob:x) [i](java&#10;script:alert(1))
![j](javascript:alert(1)) ![k](data:image/svg+xml,<svg/onload=alert(1)>) <javascript:alert(1)>
[ok](HTTPS://example.com/) <me@example.com> https://example.org/x ![pic](http://example.com/p.png)

[z]: javascript:alert(1)

[z] [z][z]`;
  const nodes = nodesOf(hostile);
  expect(hrefs(nodes)).toEqual([
    ...["https://example.com/", "mailto:me@example.com", "https://example.org/x", "http://example.com/p.png"],
  ]);
  expect(textOf(nodes)).toContain("<script>alert(1)</script>");
  expect(textOf(nodes)).toContain('<img src=x onerror="alert(1)">');
});

test("an unclosed fence is code, and what comes later is added to it", () => {
  const [code] = nodesOf("```python\nprint(1)\n\n# no heading\n");
  expect(code).toMatchObject({ tag: "code-block", lang: "python", text: "print(1)\n\n# no heading" });
  const text = "```\na\n``\nb\n```\nafter";
  for (const nodes of [nodesOf(text), shownNodes(text, [6, 8, 9, 12, 14, 16, 20]).nodes])
    expect(nodes).toEqual([
      { tag: "code-block", lang: "", text: "a\n``\nb" },
      { tag: "p", children: ["after"] },
    ]);
});

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

test("headings leave no level out, whatever a model writes", () => {
  const tags = nodesOf("###### a\n\n# b\n\n##### c\n\n#### d").map(
    (node) => typeof node === "object" && node.tag,
  );
  expect(tags).toEqual(["h3", "h3", "h4", "h5"]);
});

const HOSTILE: Record<string, string> = {
  "quotes in quotes": "> ".repeat(20_000),
  "lists in lists": Array.from({ length: 600 }, (_, index) => `${"  ".repeat(index)}- a`).join("\n"),
  "stars in stars": `${"* ".repeat(3_000)}a`,
  brackets: `${"[".repeat(3_000)}\n`.repeat(10),
  "half links": `${"[a](".repeat(800)}\n\n`.repeat(10),
  emphasis: `${"*a_ ".repeat(900)}\n\n`.repeat(8),
  backticks: Array.from({ length: 80 }, (_, index) => "`".repeat(index)).join(" "),
  "a long line": "word ".repeat(60_000),
  tags: `${"<a ".repeat(1_000)}\n`.repeat(10),
  "carriage returns": "a\r\nb\rc\r\n\r\n- d\r\n".repeat(3_000),
  "zero bytes": "\0a\u202eb\u2066".repeat(10_000),
};

for (const [what, text] of Object.entries(HOSTILE))
  test(`an answer of ${what} is shown to its end, in bounded steps`, () => {
    const { nodes, steps } = shownNodes(text);
    const kept = textOf(nodes).replaceAll(/[\s>*-]/g, "");
    const written = text.replaceAll(/[\s>*-]/g, "");
    if (what !== "emphasis" && what !== "backticks") expect(kept.length).toBe(written.length);
    expect(steps).toBeLessThan(200);
  });
