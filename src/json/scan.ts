const BACKSLASH = 0x5c;

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
