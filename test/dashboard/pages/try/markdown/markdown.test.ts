import { expect, test } from "bun:test";
import type { MarkdownNode } from "../../../../../src/dashboard/pages/try/markdown/tree.ts";
import { chooseSeed, createRandom } from "../../../../support/random.ts";
import { flat, nodesOf, shownNodes, textOf } from "./shown-nodes.ts";

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
