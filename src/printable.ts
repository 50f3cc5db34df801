/**
 * Matches a text of a line that says nothing else than it shows: without control characters, line breaks,
 * invisible characters, and marks that change the direction of text.
 */
export const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;

const PLAIN = /^[\x20-\x7e]*$/;

/**
 * Returns the text with every other character escaped as `\u001b`, so that it can neither end a line, nor
 * control a terminal, nor look like something else. For every text that others wrote, wherever it is shown.
 * In a JSON text, the strings keep their values.
 */
export function printable(text: string): string {
  return PLAIN.test(text) ? text : text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped);
}

/** Does the same to each line of a text that has several. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

function escaped(character: string): string {
  const units = character.split("");
  return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
}
