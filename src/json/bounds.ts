/** Deeper than any request or tool's schema is; a parser takes 10 s for 20 MB of brackets, and a writer its whole stack. */
const DEPTH_MAX = 256;

/** Of commas and brackets. A parser takes half a second for so many at the worst. */
const VALUES_MAX = 500_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/**
 * Why a text is not worth parsing as JSON: nested too deeply, or too many values. Undefined where it may be parsed,
 * which does not say that it is JSON. To be asked before `JSON.parse` of what others sent, since parsing holds up
 * everybody else; it takes some 2 ms a megabyte itself, and less where the text is long strings. Answers may have
 * more values than requests do: an embedding is thousands of them.
 */
export function jsonExcess(text: string, valuesMax = VALUES_MAX): string | undefined {
  if (text.length <= Math.min(DEPTH_MAX, valuesMax)) return undefined;
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === COMMA) values++;
    else if ((code | 0x20) === 0x7b) {
      // "[" or "{", which differ in this bit.
      values++;
      if (++depth > DEPTH_MAX) return `It is nested more than ${DEPTH_MAX} levels deep.`;
    } else if ((code | 0x20) === 0x7d) depth--;
    if (values > valuesMax) return `It has more than ${valuesMax} values.`;
  }
  return undefined;
}

/** Strings may be megabytes of an image, so quotes are looked for rather than letters counted. */
function endOfString(text: string, from: number): number {
  let quote = text.indexOf('"', from + 1);
  while (quote >= 0 && isEscaped(text, quote, from)) quote = text.indexOf('"', quote + 1);
  return quote < 0 ? text.length : quote;
}

function isEscaped(text: string, at: number, from: number): boolean {
  let backslashes = 0;
  while (at - 1 - backslashes > from && text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}
