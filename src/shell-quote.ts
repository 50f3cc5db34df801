/**
 * Quotes a text as one shell word if necessary. Brackets need quotes because zsh takes them for a pattern.
 */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
