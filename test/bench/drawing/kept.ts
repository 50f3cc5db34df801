import { join } from "node:path";
import { KEPT, Report } from "../report.ts";
import { drawReports } from "./draw.ts";
import { resultsOf, withResults } from "./tables.ts";

/** The one picture of the results that are kept. */
export const PICTURE = join(KEPT, "results.svg");
/** The page with the tables of the newest results. */
export const PAGE = join(KEPT, "../performance.md");

/** Resolves with the results that are kept, oldest first. */
export async function readKept(): Promise<Report[]> {
  const names = [...new Bun.Glob("*.json").scanSync(KEPT)];
  const reports = await Promise.all(names.map((name) => Bun.file(join(KEPT, name)).json()));
  return reports.map((report) => Report.parse(report)).sort((a, b) => (a.at < b.at ? -1 : 1));
}

/** Resolves with what the picture and the page must be, by their paths. */
export async function picturesOf(reports: readonly Report[]): Promise<Map<string, string>> {
  const files = new Map([[PICTURE, drawReports(reports)]]);
  const newest = reports.at(-1);
  if (newest) files.set(PAGE, withResults(await Bun.file(PAGE).text(), resultsOf(newest)));
  return files;
}

/** Draws the picture of the results that are kept, and writes the newest into the page. Resolves with the paths. */
export async function drawKept(): Promise<string[]> {
  const files = await picturesOf(await readKept());
  for (const [path, text] of files) await Bun.write(path, text);
  return [...files.keys()];
}
