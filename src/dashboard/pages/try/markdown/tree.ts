import type { Token, Tokens } from "marked";
import { type LinkAddresses, lexInline } from "./lex.ts";
import { safeHref } from "./links.ts";
import type { CutList } from "./split-blocks.ts";

/** An element of an answer, or a text. Nothing else that a model writes gets into the page. */
export type MarkdownNode = string | MarkdownElement | MarkdownCode | MarkdownTable;

export type Tag =
  | ("p" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "li" | "blockquote" | "hr")
  | ("strong" | "em" | "del" | "code" | "br" | "a");

export interface MarkdownElement {
  tag: Tag;
  /** The address of a link, which is safe. */
  href?: string;
  /** The number of a list's first item. */
  start?: number;
  /** Whether the next node continues it. */
  goesOn?: boolean;
  children: readonly MarkdownNode[];
}

export interface MarkdownCode {
  tag: "code-block";
  lang: string;
  text: string;
}

type Align = "center" | "left" | "right" | null;

export interface MarkdownTable {
  tag: "table";
  head: MarkdownRow;
  rows: readonly MarkdownRow[];
  align: readonly Align[];
}

/** The cells of a row of a table. */
export type MarkdownRow = readonly (readonly MarkdownNode[])[];

/** Turns the blocks of one answer into nodes. Remembers the last heading, so that no level is left out. */
export function createTreeBuilder(links: LinkAddresses) {
  let level = 2;

  function blocks(tokens: readonly Token[]): MarkdownNode[] {
    return tokens.flatMap((token) => block(token));
  }

  function block(token: Token): MarkdownNode[] {
    const make = BLOCKS[token.type];
    return make ? make(token as never) : [element("p", [token.raw])];
  }

  const inline = (text: string) => inlineNodes(text, links);

  const BLOCKS: Record<string, (token: never) => MarkdownNode[]> = {
    space: () => [],
    def: () => [],
    hr: () => [element("hr")],
    paragraph: ({ text }: Tokens.Paragraph) => [element("p", inline(text))],
    // The text of an item of a list.
    text: ({ text }: Tokens.Text) => inline(text),
    heading({ depth, text }: Tokens.Heading) {
      // The question above has the level 2.
      level = Math.min(6, level + 1, depth + 2);
      return [element(`h${level}` as Tag, inline(text))];
    },
    blockquote: ({ tokens }: Tokens.Blockquote) => [element("blockquote", blocks(tokens))],
    code: ({ lang = "", text }: Tokens.Code) => [{ tag: "code-block", lang, text }],
    list: (list: CutList) => [listNode(list)],
    table: (table: Tokens.Table) => [tableNode(table, inline)],
    checkbox: ({ checked }: { checked: boolean }) => [checked ? "☑ " : "☐ "],
  };

  function listNode({ ordered, start, items, goesOn }: CutList): MarkdownNode {
    const children = items.map((item) => element("li", itemNodes(item)));
    return {
      ...element(ordered ? "ol" : "ul", children),
      ...(ordered && typeof start === "number" && start !== 1 && { start }),
      ...(goesOn && { goesOn }),
    };
  }

  function itemNodes({ task, checked, tokens }: Tokens.ListItem): MarkdownNode[] {
    const isMarked = tokens.some(({ type }) => type === "checkbox");
    return [...(task && !isMarked ? [checked ? "☑ " : "☐ "] : []), ...blocks(tokens)];
  }

  return {
    blocks,
    /** Returns the nodes of blocks that will be replaced. */
    openBlocks(tokens: readonly Token[]): MarkdownNode[] {
      const before = level;
      const nodes = blocks(tokens);
      level = before;
      return nodes;
    },
    row: (cells: readonly Tokens.TableCell[]): MarkdownRow => rowOf(cells, inline),
  };
}

function tableNode({ header, rows, align }: Tokens.Table, inline: (text: string) => MarkdownNode[]) {
  const row = (cells: readonly Tokens.TableCell[]) => rowOf(cells, inline);
  return { tag: "table", head: row(header), rows: rows.map(row), align } satisfies MarkdownTable;
}

function rowOf(cells: readonly Tokens.TableCell[], inline: (text: string) => MarkdownNode[]): MarkdownRow {
  return cells.map(({ text }) => inline(text));
}

function inlineNodes(text: string, links: LinkAddresses): MarkdownNode[] {
  const tokens = lexInline(text, links);
  return tokens ? inlines(tokens) : [text];
}

function inlines(tokens: readonly Token[]): MarkdownNode[] {
  return tokens.flatMap((token) => {
    const make = INLINES[token.type];
    return make ? make(token as never) : [token.raw];
  });
}

interface Nested {
  tokens: Token[];
}

const INLINES: Record<string, (token: never) => MarkdownNode[]> = {
  text: ({ text, tokens }: Tokens.Text) => (tokens ? inlines(tokens) : [decoded(text)]),
  escape: ({ text }: Tokens.Escape) => [text],
  br: () => [element("br")],
  strong: ({ tokens }: Nested) => [element("strong", inlines(tokens))],
  em: ({ tokens }: Nested) => [element("em", inlines(tokens))],
  del: ({ tokens }: Nested) => [element("del", inlines(tokens))],
  codespan: ({ text }: Tokens.Codespan) => [element("code", [text])],
  link: ({ href, tokens, raw }: Tokens.Link) => linkNodes(href, inlines(tokens), raw),
  // Nothing is loaded from anywhere: an image is a link.
  image: ({ href, text, raw }: Tokens.Image) => linkNodes(href, [text || (safeHref(href) ?? "")], raw),
  html: ({ raw }: { raw: string }) => (/^<br\s*\/?>$/i.test(raw) ? [element("br")] : [raw]),
};

/** Returns the link, or what was written if its address is not safe. */
function linkNodes(address: string, children: MarkdownNode[], raw: string): MarkdownNode[] {
  const href = safeHref(address);
  return href === undefined ? [raw] : [{ ...element("a", children), href }];
}

function element(tag: Tag, children: readonly MarkdownNode[] = []): MarkdownElement {
  return { tag, children };
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" },
  ...{ ndash: "–", mdash: "—", hellip: "…", times: "×", rarr: "→", larr: "←", copy: "©", deg: "°" },
};

/** Replaces the entities that models write. */
function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    const isText = code >= 0x20 && code <= 0x10_ffff && !(code >= 0xd800 && code <= 0xdfff);
    return isText ? String.fromCodePoint(code) : whole;
  });
}
