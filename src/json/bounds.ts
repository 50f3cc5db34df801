/**
 * Requests and the schemas of tools are never nested as deeply. For 20 MB of brackets a parser takes 10 s,
 * and a serializer its whole stack.
 */
export const DEPTH_MAX = 256;

/** Counts commas and brackets. At worst a parser takes half a second for as many. */
const VALUES_MAX = 500_000;

/**
 * How much of a value a number in a list counts. A parser takes 0.02 µs for a number, and up to 0.8 µs for
 * any other value. Inputs of a million token numbers are usual.
 */
const NUMBER_WEIGHT = 1 / 8;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const SPACE = 0x20;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Returns why a text must not be parsed as JSON: it is nested too deeply, or has too many values. Returns
 * undefined if it may be parsed, whether it is JSON or not. Call it before `JSON.parse` on what others sent,
 * since parsing blocks everybody else. It takes about 2 ms per megabyte itself, and less if the text is long
 * strings. Pass a larger `valuesMax` for answers: an embedding has thousands of values.
 */
export function jsonExcess(text: string, valuesMax = VALUES_MAX): string | undefined {
  // What is nested too deeply, and valid, has as many brackets on both sides.
  if (text.length <= Math.min(2 * DEPTH_MAX, valuesMax)) return undefined;
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === COMMA) values += weightAt(text, at + 1);
    else if ((code | 0x20) === 0x7b) {
      // "[" and "{" differ in this bit only.
      values++;
      if (++depth > DEPTH_MAX) return `It is nested more than ${DEPTH_MAX} levels deep.`;
    } else if ((code | 0x20) === 0x7d) depth--;
    if (values > valuesMax) return `It has more than ${valuesMax} values.`;
  }
  return undefined;
}

/** Returns how much the value counts that begins at `from` or after white space. A key is not a number. */
function weightAt(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= SPACE) at++;
  const code = text.charCodeAt(at);
  return code === MINUS || (code >= ZERO && code <= NINE) ? NUMBER_WEIGHT : 1;
}

/**
 * Returns the index of the quote that ends the string beginning at `from`, or the text's length if there is
 * none. Strings may be megabytes of an image, so it searches for quotes rather than look at every character.
 */
export function endOfString(text: string, from: number): number {
  let quote = text.indexOf('"', from + 1);
  while (quote >= 0 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote < 0 ? text.length : quote;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}
