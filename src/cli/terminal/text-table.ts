const GAP = "  ";

interface Layout {
  indent?: string;
  /** Longer lines are broken between words of their last column. */
  width?: number;
}

/** Returns the rows as lines with aligned columns, without borders. Small enough to need no library. */
export function table(
  rows: readonly (readonly string[])[],
  { indent = "", width = Number.POSITIVE_INFINITY }: Layout = {},
): string {
  const widthOf = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = rows[0]?.map((_, column) => widthOf(column)) ?? [];
  const line = (row: readonly string[]) => {
    const cells = row.slice(0, -1).map((cell, column) => cell.padEnd(widths[column] ?? 0) + GAP);
    const start = indent + cells.join("");
    const next = `\n${" ".repeat(start.length)}`;
    return `${start}${breakLines(row.at(-1) ?? "", width - start.length).join(next)}`.trimEnd();
  };
  return rows.map((row) => `${line(row)}\n`).join("");
}

/** Breaks a text into lines. A word that is longer than the width gets a line of its own. */
function breakLines(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
