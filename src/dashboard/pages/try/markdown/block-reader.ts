import type { Token, Tokens } from "marked";
import { type LinkAddresses, lexBlocks } from "./lex.ts";
import {
  closeAll,
  closingFence,
  growingTable,
  type Split,
  splitRows,
  splitTokens,
  type TableRows,
  unclosedFence,
  WINDOW_LENGTH,
  windowOf,
} from "./split-blocks.ts";

/** The part of an answer that was read since the last step. */
export type Step =
  /** `closed` will not change any more. `open` are the blocks behind it, in place of the former open ones. */
  | { type: "blocks"; closed: readonly Token[]; open: readonly Token[] }
  /** The beginning of a fenced code block. Its text follows in steps of the type `code`. */
  | { type: "fence"; closed: readonly Token[]; lang: string }
  | { type: "code"; text: string }
  /** More rows of the last table. `openRow` comes behind them, in place of the former open one. */
  | ({ type: "rows" } & Pick<TableRows, "rows" | "openRow">)
  /** Text that is shown as it is written. */
  | { type: "plain"; text: string };

/**
 * Reads Markdown that only grows. A step reads at most some thousand characters, so that even a long text that comes
 * at once does not block the page, and reads only the last block again. A block that is longer than that is closed
 * there, and what follows is read as a block of its own.
 */
export interface BlockReader {
  readonly links: LinkAddresses;
  /** Returns the next step; undefined if all of the text is read. `text` begins with that of the call before. */
  read(text: string): Step | undefined;
}

/** The length of code and plain text in a step. */
const PART_LENGTH = 8_000;

/** Some browsers take long for a line that is longer than any of a text for people. It is shown as it is written. */
const LINE_LENGTH_MAX = 4_000;

interface State {
  links: LinkAddresses;
  /** All of the text before it is read for good. */
  at: number;
  /** The length of the text whose end the open blocks show. */
  seen: number;
  /** The number of the first item at `at`, if a list goes on there. */
  number?: number | undefined;
  mode: "blocks" | "line" | "plain" | { fence: string } | { head: string };
}

export function createBlockReader(): BlockReader {
  const state: State = { links: {}, at: 0, seen: 0, mode: "blocks" };
  return {
    links: state.links,
    read(text) {
      const { at, seen, mode } = state;
      if (at >= text.length && text.length === seen) return undefined;
      if (mode === "plain") return readPlain(state, text);
      if (mode === "line") return readLine(state, text);
      if (typeof mode === "object" && "fence" in mode) return readCode(state, text, mode.fence);
      if (text.length === seen) return undefined;
      return mode === "blocks" ? readBlocks(state, text) : readRows(state, text, mode.head);
    },
  };
}

function readBlocks(state: State, text: string): Step {
  const { window, isCut } = windowOf(text, state.at, WINDOW_LENGTH);
  if (isLongLine(window)) {
    state.mode = "line";
    return readLine(state, text) ?? { type: "plain", text: "" };
  }
  // The address of a link may not be complete yet.
  const tokens = lexBlocks(window, { ...state.links });
  if (!tokens) {
    state.mode = "plain";
    return readPlain(state, text) ?? { type: "plain", text: "" };
  }
  const [first] = tokens;
  if (state.number !== undefined && first?.type === "list") (first as Tokens.List).start = state.number;
  const split = splitTokens(tokens, window, isCut);
  const last = split.open.at(-1);
  const isStuck = isCut && split.closedLength === 0 && !unclosedFence(last) && !growingTable(last, isCut);
  return take(state, isStuck ? closeAll(tokens, window) : split, isCut ? undefined : text.length);
}

/** Takes what was read into the state. `end` is the end of the text if the open blocks are those at it. */
function take(state: State, split: Split, end: number | undefined): Step {
  const { closed, closedLength, open } = split;
  const last = open.at(-1);
  state.at += closedLength;
  if (closedLength > 0) state.number = split.number;
  for (const token of closed) if (token.type === "def") state.links[token["tag"]] ??= token as Tokens.Def;
  const fence = unclosedFence(last);
  if (fence) {
    state.at += fence.headLength;
    state.mode = { fence: fence.mark };
    return { type: "fence", closed, lang: fence.lang };
  }
  const head = growingTable(last, end === undefined);
  if (last && head !== undefined) {
    const table = last as Tokens.Table;
    const { rows, rowsLength, isOver } = splitRows(table, head, table.raw);
    leave(state, head.length + rowsLength, isOver ? "blocks" : { head });
    const begun: Tokens.Table = { ...table, rows: [...rows] };
    return { type: "blocks", closed: [...closed, begun], open: [] };
  }
  state.seen = end ?? state.at;
  return { type: "blocks", closed, open: end === undefined ? [] : open };
}

function readRows(state: State, text: string, head: string): Step | undefined {
  const { window, isCut } = windowOf(text, state.at, WINDOW_LENGTH);
  const [table] = (isLongLine(window) ? undefined : lexBlocks(head + window, {})) ?? [];
  const read =
    table?.type === "table"
      ? splitRows(table as Tokens.Table, head, head + window)
      : { rows: [], rowsLength: 0, isOver: true };
  const { rows, openRow, rowsLength, isOver } = read;
  leave(state, rowsLength, isOver ? "blocks" : { head });
  if (!isOver && !isCut) state.seen = text.length;
  return { type: "rows", rows, openRow };
}

function readCode(state: State, text: string, mark: string): Step | undefined {
  const rest = text.slice(state.at, state.at + PART_LENGTH);
  const closing = closingFence(mark).exec(rest);
  if (closing?.[0].endsWith("\n")) {
    leave(state, closing.index + closing[0].length);
    return { type: "code", text: rest.slice(0, closing.index) };
  }
  const code = withoutMaybeFence(rest, mark.charAt(0), state.at + rest.length < text.length);
  state.at += code.length;
  return code === "" ? undefined : { type: "code", text: code };
}

function readPlain(state: State, text: string): Step | undefined {
  const part = text.slice(state.at, state.at + PART_LENGTH);
  state.at += part.length;
  return part === "" ? undefined : { type: "plain", text: part };
}

function readLine(state: State, text: string): Step | undefined {
  const rest = text.slice(state.at, state.at + PART_LENGTH);
  const end = rest.indexOf("\n") + 1;
  const part = end > 0 ? rest.slice(0, end) : rest;
  if (end > 0) leave(state, end);
  else state.at += part.length;
  return part === "" ? undefined : { type: "plain", text: part };
}

function isLongLine(window: string): boolean {
  const end = window.indexOf("\n");
  return (end < 0 ? window.length : end) > LINE_LENGTH_MAX;
}

/** Goes on behind what was read, where nothing is shown yet. */
function leave(state: State, readLength: number, mode: State["mode"] = "blocks"): void {
  state.at += readLength;
  state.seen = state.at - 1;
  state.number = undefined;
  state.mode = mode;
}

/** Leaves out a last line that may become the end of the code. */
function withoutMaybeFence(code: string, mark: string, isCut: boolean): string {
  if (isCut) {
    const end = code.lastIndexOf("\n") + 1;
    return end > 0 ? code.slice(0, end) : code;
  }
  const lineStart = code.lastIndexOf("\n") + 1;
  return new RegExp(`^ {0,3}${mark}*[ \\t]*$`).test(code.slice(lineStart)) ? code.slice(0, lineStart) : code;
}
