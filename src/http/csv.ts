import { printable } from "../printable.ts";

type Cell = string | number | null;

/** Text that spreadsheets take for the start of a formula, some also after whitespace and in full width. */
const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/;

/** Returns a table as a file to download. The first row holds the names of the columns. */
export function csvResponse(
  fileName: string,
  rows: readonly (readonly Cell[])[],
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(toCsv(rows), { headers: { ...headersOf(fileName), ...headers } });
}

const headersOf = (fileName: string) => ({
  "content-type": "text/csv; charset=utf-8; header=present",
  "content-disposition": `attachment; filename="${fileName}"`,
});

/**
 * Returns a table as a file that is read while it is sent, one part at a time: as fast as the caller takes it, and no
 * longer. A part that cannot be read breaks the file off, so that nobody takes it for a whole one.
 */
export function csvStream(fileName: string, parts: AsyncIterator<readonly (readonly Cell[])[]>): Response {
  const text = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await parts.next();
        if (done) controller.close();
        else controller.enqueue(text.encode(toCsv(value)));
      },
      cancel: async () => void (await parts.return?.()),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: headersOf(fileName) });
}

/**
 * Returns a table in the format of RFC 4180. Agents and callers choose some of the texts, so control characters
 * are escaped, and a text that a spreadsheet would run as a formula is preceded by an apostrophe:
 * https://owasp.org/www-community/attacks/CSV_Injection. Small enough to need no library.
 */
export function toCsv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(toField).join(",")}\r\n`).join("");
}

function toField(cell: Cell): string {
  if (typeof cell !== "string") return cell === null ? "" : String(cell);
  const shown = printable(cell);
  const text = FORMULA.test(cell) ? `'${shown}` : shown;
  return /[",']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
