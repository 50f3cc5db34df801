import { Lexer, type Links, type Token, type TokensList } from "marked";

/** The addresses that an answer defines for its links, such as `[1]: https://example.com`. */
export type LinkAddresses = Links;

const OPTIONS = { gfm: true, breaks: true };

/** The library's time for a paragraph grows with the square of its length. A longer one is shown as it is written. */
const INLINE_LENGTH_MAX = 4_000;

/** Lists in lists and quotes in quotes, which take the library long, and more of the stack than there is. */
const TOO_DEEP =
  /^(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]))){24}|^[ \t]{100,}(?:[-+*]|\d{1,9}[.)])[ \t]/m;

function createLexer(links: LinkAddresses): Lexer {
  const lexer = new Lexer(OPTIONS);
  lexer.tokens = Object.assign([], { links }) as TokensList;
  return lexer;
}

/** Returns the blocks of a text; undefined if it is nested too deeply to be read. */
export function lexBlocks(text: string, links: LinkAddresses): Token[] | undefined {
  if (TOO_DEEP.test(text)) return undefined;
  try {
    return createLexer(links).blockTokens(text, []);
  } catch {
    return undefined;
  }
}

/** Returns the parts of a paragraph, a cell or a heading; undefined if it is to be shown as it is written. */
export function lexInline(text: string, links: LinkAddresses): Token[] | undefined {
  if (text.length > INLINE_LENGTH_MAX) return undefined;
  try {
    return createLexer(links).inlineTokens(text, []);
  } catch {
    return undefined;
  }
}
