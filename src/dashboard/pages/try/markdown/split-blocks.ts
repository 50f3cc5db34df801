import type { Token, Tokens } from "marked";

/** The least length that is read at a time. */
export const WINDOW_LENGTH = 8_000;
/** The rows of a table that are shown. */
export const ROWS_MAX = 300;

const OPENING = /^ {0,3}(`{3,}|~{3,})([^\n]*)\n/;

/** Returns the text from `at` on, as whole lines if it is cut. Line ends of all kinds become the same ones. */
export function windowOf(text: string, at: number, length: number) {
  const isCut = text.length - at > length;
  const lineEnd = isCut ? text.lastIndexOf("\n", at + length - 1) + 1 : text.length;
  const end = lineEnd > at ? lineEnd : at + length;
  // The length must stay, as places in the text are counted by it.
  const window = text.slice(at, end).replaceAll("\r\n", " \n").replaceAll("\r", "\n");
  return { window, isCut };
}

export interface Split {
  closed: readonly Token[];
  closedLength: number;
  open: readonly Token[];
}

/** Tells the last block, which may go on, from those before it. */
export function splitTokens(tokens: readonly Token[], window: string, isCut: boolean): Split {
  const isWhole = tokens.reduce((sum, { raw }) => sum + raw.length, 0) === window.length;
  if (!isWhole) return isCut ? closeAll(tokens, window) : { closed: [], closedLength: 0, open: tokens };
  const last = tokens.findLastIndex(({ type }) => type !== "space");
  const closed = tokens.slice(0, Math.max(0, last));
  const closedLength = closed.reduce((sum, { raw }) => sum + raw.length, 0);
  const open = tokens.slice(closed.length);
  const [first] = open;
  if (first?.type === "list" && window.length - closedLength >= WINDOW_LENGTH / 2) {
    const split = splitList(first as Tokens.List, window.slice(closedLength));
    if (split)
      return {
        ...split,
        closed: [...closed, ...split.closed],
        closedLength: closedLength + split.closedLength,
      };
  }
  return { closed, closedLength, open };
}

/** Closes all items of a long list but the last one. */
function splitList(list: Tokens.List, text: string): Split | undefined {
  const items = list.items.slice(0, -1);
  const raw = items.map((item) => item.raw).join("");
  const last = list.items.at(-1);
  if (raw === "" || !last || !text.startsWith(raw)) return undefined;
  const start = Number.parseInt(last.raw, 10);
  return {
    closed: [{ ...list, raw, items }],
    closedLength: raw.length,
    open: [{ ...list, raw: last.raw, items: [last], ...(list.ordered && { start }) }],
  };
}

export const closeAll = (tokens: readonly Token[], window: string): Split => ({
  closed: tokens,
  closedLength: window.length,
  open: [],
});

/** Returns the fence of a code block that has not ended yet; undefined for any other block. */
export function unclosedFence(token: Token | undefined) {
  if (token?.type !== "code") return undefined;
  const [head = "", mark = "", lang = ""] = OPENING.exec(token.raw) ?? [];
  if (head === "") return undefined;
  const isClosed = closingFence(mark).test(token.raw.slice(head.length));
  return isClosed ? undefined : { mark, lang: lang.trim(), headLength: head.length };
}

/** Matches the line that ends a code block, and its line end. */
export const closingFence = (mark: string) => new RegExp(`^ {0,3}${mark}${mark.charAt(0)}*[ \\t]*$\\n?`, "m");

/**
 * Returns the table, without a row that may go on, if it has more rows than are shown or is closed where it may go on;
 * undefined for any other block.
 */
export function longTable(token: Token | undefined, isClosed: boolean): Tokens.Table | undefined {
  if (token?.type !== "table") return undefined;
  const table = token as Tokens.Table;
  const isOver = /\n[ \t]*\n$/.test(table.raw);
  if (isOver || (table.rows.length <= ROWS_MAX && !isClosed)) return undefined;
  if (isClosed || table.raw.endsWith("\n")) return table;
  return {
    ...table,
    raw: table.raw.slice(0, table.raw.lastIndexOf("\n") + 1),
    rows: table.rows.slice(0, -1),
  };
}
