/*
 * `bun run pictures` makes the pictures of the dashboard in docs/images. It plays a household for a quarter of an hour with
 * the built executable, and takes the pictures with Chromium.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Browser, chromium } from "playwright-core";
import { EXECUTABLE, type Household, startHousehold } from "./household.ts";

const IMAGES = join(import.meta.dir, "../../docs/images");
const USAGE = `usage: bun run pictures [--minutes 15]

Writes docs/images/dashboard-light.png and dashboard-dark.png. The charts show 15 minutes, so fewer leave them empty on
the left. It needs Chromium, and the executable: run bun run build first.
`;
const SETTLE_MS = 2_000;
const SIZE = { width: 1280, height: 1010 };
const CHROMIUM = ["chromium", "chromium-browser", "google-chrome"]
  .map((name) => Bun.which(name))
  .find((path) => path !== null);

async function take({ url, adminKey }: Household, scheme: "light" | "dark", browser: Browser): Promise<void> {
  const context = await browser.newContext({ colorScheme: scheme, viewport: SIZE, reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(`${url}/dashboard`);
  await page.getByLabel("Key", { exact: true }).fill(adminKey);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  await page.getByText("Live", { exact: true }).waitFor();
  // The charts are drawn once the fonts are there.
  await page.waitForTimeout(SETTLE_MS);
  const picture = new Bun.Image(await page.screenshot());
  // A palette makes it a third as large.
  const bytes = await picture.png({ palette: true, compressionLevel: 9 }).bytes();
  const path = join(IMAGES, `dashboard-${scheme}.png`);
  await Bun.write(path, bytes);
  process.stdout.write(`${path}: ${Math.ceil(bytes.length / 1024)} kB\n`);
}

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "15" }, help: { type: "boolean", default: false } },
});
const minutes = Number(values.minutes);
if (values.help || !(minutes > 0) || CHROMIUM === undefined || !existsSync(EXECUTABLE)) {
  process.stderr.write(USAGE);
  process.exit(values.help ? 0 : 2);
}
const household = await startHousehold();
const browser = await chromium.launch({ executablePath: CHROMIUM });
try {
  process.stdout.write(`plays for ${minutes} min at ${household.url}\n`);
  household.play();
  await Bun.sleep(minutes * 60_000);
  await Promise.all((["light", "dark"] as const).map((scheme) => take(household, scheme, browser)));
} finally {
  await browser.close();
  await household.stop();
}
