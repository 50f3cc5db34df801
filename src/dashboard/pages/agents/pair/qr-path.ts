import { encode } from "uqr";

/** The margin that readers need: https://www.qrcode.com/en/howto/code.html. */
const MARGIN = 4;

/** Returns the dark modules of a QR code as a path of an SVG, and the width of its view box with the margin. */
export function qrPath(text: string): { size: number; path: string } {
  const { data } = encode(text, { ecc: "M", border: 0 });
  const path = data.flatMap((row, y) =>
    runsOf(row).map(([x, length]) => `M${x + MARGIN} ${y + MARGIN}h${length}v1h-${length}z`),
  );
  return { size: data.length + 2 * MARGIN, path: path.join("") };
}

/** Returns the place and the length of each run of dark modules. */
function runsOf(row: readonly boolean[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const [x, isDark] of row.entries()) {
    const last = runs.at(-1);
    if (isDark && last && last[0] + last[1] === x) last[1]++;
    else if (isDark) runs.push([x, 1]);
  }
  return runs;
}
