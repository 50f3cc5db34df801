/** Reads CSV as RFC 4180 has it: fields in quotes or without any in them, lines that end in CRLF. */
export function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (let match = field.exec(text); match; match = field.exec(text)) {
    const [, quoted, plain = "", end] = match;
    row.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === ",") continue;
    rows.push(row);
    row = [];
    if (field.lastIndex === text.length) return rows;
  }
  throw new Error(`not CSV: ${JSON.stringify(text)}`);
}
