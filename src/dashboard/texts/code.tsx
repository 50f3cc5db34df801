/** A command, a name or another piece of code within a text. It is the same in every language. */
export function code(source: string) {
  return <code>{source}</code>;
}
