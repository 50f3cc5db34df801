import type { Token, Tokens } from "marked";

/** The length that is read at a time. */
export const WINDOW_LENGTH = 8_000;
/** The items of a list, and the rows of a table, that are read again while the list or table may go on. */
const OPEN_PARTS_MAX = 20;
/** The length of a list that is read again while the list may go on. */
const OPEN_LENGTH_MAX = 2_000;

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
  /** The number of the first open item of a list that was cut. */
  number?: number;
}

/** A list, or the part of one before the items that are still open. */
export type CutList = Tokens.List & { goesOn?: boolean };

/** Tells the last block, which may go on, from those before it. */
export function splitTokens(tokens: readonly Token[], window: string, isCut: boolean): Split {
  const isWhole = tokens.reduce((sum, { raw }) => sum + raw.length, 0) === window.length;
  if (!isWhole) return isCut ? closeAll(tokens, window) : { closed: [], closedLength: 0, open: tokens };
  const last = tokens.findLastIndex(({ type }) => type !== "space");
  const closed = tokens.slice(0, Math.max(0, last));
  const closedLength = closed.reduce((sum, { raw }) => sum + raw.length, 0);
  const open = tokens.slice(closed.length);
  const [first] = open;
  const rest = window.slice(closedLength);
  const split = first?.type === "list" ? splitList(first as Tokens.List, rest) : undefined;
  if (!split) return { closed, closedLength, open };
  return { ...split, closed: [...closed, ...split.closed], closedLength: closedLength + split.closedLength };
}

/** Closes all items of a long list but the last one. */
function splitList(list: Tokens.List, text: string): Split | undefined {
  if (list.items.length <= OPEN_PARTS_MAX && text.length < OPEN_LENGTH_MAX) return undefined;
  const items = list.items.slice(0, -1);
  const raw = items.map((item) => item.raw).join("");
  const last = list.items.at(-1);
  if (raw === "" || !last || !text.startsWith(raw)) return undefined;
  // Items are counted from the first one, whatever numbers are written before the others.
  const number = typeof list.start === "number" ? list.start + items.length : undefined;
  const closed: CutList = { ...list, raw, items, goesOn: true };
  return {
    closed: [closed],
    closedLength: raw.length,
    open: [{ ...list, raw: last.raw, items: [last], ...(number !== undefined && { start: number }) }],
    ...(number !== undefined && { number }),
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

/** The part of a table that was read. */
export interface TableRows {
  rows: readonly Tokens.TableCell[][];
  /** The last row, if its line may go on. */
  openRow?: readonly Tokens.TableCell[] | undefined;
  /** The length of the lines of `rows`. */
  rowsLength: number;
  /** Whether other blocks follow. */
  isOver: boolean;
}

/** Returns the head of a table that may have many more rows, as it is written; undefined for any other block. */
export function growingTable(token: Token | undefined, isCut: boolean): string | undefined {
  if (token?.type !== "table") return undefined;
  if (!isCut && (token as Tokens.Table).rows.length <= OPEN_PARTS_MAX) return undefined;
  return /^.*\n.*\n/.exec(token.raw)?.[0];
}

/** Tells the rows of a table that are complete. `text` is that of the table's head and of what follows it. */
export function splitRows({ rows, raw }: Tokens.Table, head: string, text: string): TableRows {
  const isOver = raw.length < text.length || /\n[ \t]*\n$/.test(raw);
  if (isOver || raw.endsWith("\n")) return { rows, rowsLength: raw.length - head.length, isOver };
  const end = raw.lastIndexOf("\n") + 1;
  return { rows: rows.slice(0, -1), openRow: rows.at(-1), rowsLength: end - head.length, isOver };
}
