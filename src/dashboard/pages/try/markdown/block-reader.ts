import type { Token, Tokens } from "marked";
import { type LinkAddresses, lexBlocks } from "./lex.ts";
import {
  closeAll,
  closingFence,
  longTable,
  type Split,
  splitTokens,
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
  /** Rows of the last table that are not shown. */
  | { type: "rows"; count: number }
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

const TABLE_LENGTH_MAX = 64_000;
/** The length of code, plain text and hidden rows in a step. */
const PART_LENGTH = 65_536;

/** Some browsers take long for a line that is longer than any of a text for people. It is shown as it is written. */
const LINE_LENGTH_MAX = 4_000;

const BLANK_OR_BLOCK = /^(?:[ \t]*$| {0,3}(?:#{1,6}[ \t]|`{3}|~{3}|>))/;

interface State {
  links: LinkAddresses;
  /** All of the text before it is read for good. */
  at: number;
  /** The length of the text whose end the open blocks show. */
  seen: number;
  mode: "blocks" | "rows" | "line" | "plain" | { fence: string };
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
      if (mode === "rows") return readRows(state, text);
      if (typeof mode === "object") return readCode(state, text, mode.fence);
      return text.length === seen ? undefined : readBlocks(state, text);
    },
  };
}

function readBlocks(state: State, text: string): Step {
  for (let length = WINDOW_LENGTH; ; length *= 2) {
    const { window, isCut } = windowOf(text, state.at, length);
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
    const split = splitTokens(tokens, window, isCut);
    const [first] = split.open;
    const isStuck = isCut && split.closedLength === 0 && !unclosedFence(first);
    // Only a table must be read as a whole: its rows make no sense without its head.
    if (isStuck && first?.type === "table" && length < TABLE_LENGTH_MAX) continue;
    return take(state, isStuck ? closeAll(tokens, window) : split, isCut ? undefined : text.length);
  }
}

/** Takes what was read into the state. `end` is the end of the text if the open blocks are those at it. */
function take(state: State, { closed, closedLength, open }: Split, end: number | undefined): Step {
  state.at += closedLength;
  for (const token of closed) if (token.type === "def") state.links[token["tag"]] ??= token as Tokens.Def;
  const fence = unclosedFence(open.at(-1));
  if (fence) {
    state.at += fence.headLength;
    state.mode = { fence: fence.mark };
    return { type: "fence", closed, lang: fence.lang };
  }
  const isClosed = open.length === 0;
  const table = longTable(open.at(-1) ?? closed.at(-1), isClosed);
  if (table) {
    if (!isClosed) state.at += table.raw.length;
    state.mode = "rows";
    return { type: "blocks", closed: [...(isClosed ? closed.slice(0, -1) : closed), table], open: [] };
  }
  state.seen = end ?? state.at;
  return { type: "blocks", closed, open: end === undefined ? [] : open };
}

function readCode(state: State, text: string, mark: string): Step | undefined {
  const rest = text.slice(state.at, state.at + PART_LENGTH);
  const closing = closingFence(mark).exec(rest);
  if (closing?.[0].endsWith("\n")) {
    toBlocks(state, closing.index + closing[0].length);
    return { type: "code", text: rest.slice(0, closing.index) };
  }
  const code = withoutMaybeFence(rest, mark.charAt(0), state.at + rest.length < text.length);
  state.at += code.length;
  return code === "" ? undefined : { type: "code", text: code };
}

function readRows(state: State, text: string): Step | undefined {
  // The last line may go on.
  const lines = text
    .slice(state.at, state.at + PART_LENGTH)
    .split("\n")
    .slice(0, -1);
  const end = lines.findIndex((line) => BLANK_OR_BLOCK.test(line));
  const rows = end < 0 ? lines : lines.slice(0, end);
  const length = rows.reduce((sum, line) => sum + line.length + 1, 0);
  if (end >= 0) toBlocks(state, length);
  else state.at += length;
  return rows.length === 0 && end < 0 ? undefined : { type: "rows", count: rows.length };
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
  if (end > 0) toBlocks(state, end);
  else state.at += part.length;
  return part === "" ? undefined : { type: "plain", text: part };
}

function isLongLine(window: string): boolean {
  const end = window.indexOf("\n");
  return (end < 0 ? window.length : end) > LINE_LENGTH_MAX;
}

/** Goes on with blocks behind what was read. */
function toBlocks(state: State, readLength: number): void {
  state.at += readLength;
  state.seen = state.at - 1;
  state.mode = "blocks";
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
