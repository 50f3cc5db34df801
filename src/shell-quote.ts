/**
 * Quotes a text as one shell word if necessary. Brackets need quotes because zsh takes them for a pattern.
 */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Returns a text in quotes of PowerShell, for which typographic quotes are quotes too. */
export function powershellQuote(text: string): string {
  return `'${text.replaceAll(/['\u2018-\u201b]/g, "$&$&")}'`;
}
