export type Cell = string | number | null;

/** What spreadsheets take for the beginning of a formula, some of them after blanks and in full width too. */
const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/;

/**
 * A table as RFC 4180 has it, the first row being the names of the columns. A text that a spreadsheet would run
 * as a formula begins with an apostrophe, as https://owasp.org/www-community/attacks/CSV_Injection advises:
 * agents and callers choose some of the texts.
 */
export function toCsv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(toField).join(",")}\r\n`).join("");
}

function toField(cell: Cell): string {
  if (typeof cell !== "string") return cell === null ? "" : String(cell);
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
