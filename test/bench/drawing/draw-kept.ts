import { join } from "node:path";
import { KEPT, Report } from "../report.ts";
import { drawReports } from "./draw.ts";

/** The one picture of the results that are kept. */
export const PICTURE = join(KEPT, "results.svg");

/** Resolves with the results that are kept, oldest first. */
export async function readKept(): Promise<Report[]> {
  const names = [...new Bun.Glob("*.json").scanSync(KEPT)];
  const reports = await Promise.all(names.map((name) => Bun.file(join(KEPT, name)).json()));
  return reports.map((report) => Report.parse(report)).sort((a, b) => (a.at < b.at ? -1 : 1));
}

/** Draws the picture of the results that are kept. Resolves with its path. */
export async function drawKept(): Promise<string> {
  await Bun.write(PICTURE, drawReports(await readKept()));
  return PICTURE;
}
