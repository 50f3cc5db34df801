/** As one word of a shell, in quotes where it needs them; zsh takes brackets for a pattern. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
