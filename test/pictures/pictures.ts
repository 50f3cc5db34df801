/*
 * `bun run pictures` makes the pictures of the dashboard in docs/images. It plays a household for a quarter of an hour with
 * the built executable, and takes the pictures with Chromium.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Browser, chromium, type Page } from "playwright-core";
import { EXECUTABLE, type Household, startHousehold } from "./household.ts";

const IMAGES = join(import.meta.dir, "../../docs/images");
const USAGE = `usage: bun run pictures [--minutes 15]

Writes dashboard-light.png, dashboard-dark.png, models.png and playground.png in docs/images. The charts show 15 minutes, so fewer leave them empty on
the left. It needs Chromium, and the executable: run bun run build first.
`;
const SETTLE_MS = 2_000;
const SIZE = { width: 1280, height: 1010 };
const CHROMIUM = ["chromium", "chromium-browser", "google-chrome"]
  .map((name) => Bun.which(name))
  .find((path) => path !== null);

interface Picture {
  /** The name of the file, without its type. */
  name: string;
  scheme: "light" | "dark";
  /** Opens what is shown. */
  open: (page: Page) => Promise<void>;
}

const PICTURES: readonly Picture[] = [
  { name: "dashboard-light", scheme: "light", open: async () => {} },
  { name: "dashboard-dark", scheme: "dark", open: async () => {} },
  { name: "models", scheme: "light", open: openModels },
  { name: "playground", scheme: "light", open: compareTwo },
];

async function openModels(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Models" }).click();
  await page.getByRole("heading", { level: 1, name: "Models" }).waitFor();
}

/** Sends one message to two models. */
async function compareTwo(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Try it" }).click();
  await page.getByRole("button", { name: "Compare two" }).click();
  await page.getByLabel("Your message").fill("Compare a list and a tuple in Python, in a table.");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("button", { name: "Stop" }).first().waitFor({ state: "detached" });
}

async function take(
  { url, adminKey }: Household,
  { name, scheme, open }: Picture,
  browser: Browser,
): Promise<void> {
  const context = await browser.newContext({ colorScheme: scheme, viewport: SIZE, reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(`${url}/dashboard`);
  await page.getByLabel("Key", { exact: true }).fill(adminKey);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  await page.getByText("Live", { exact: true }).waitFor();
  await open(page);
  // The charts are drawn once the fonts are there.
  await page.waitForTimeout(SETTLE_MS);
  const picture = new Bun.Image(await page.screenshot());
  // A palette makes it a third as large.
  const bytes = await picture.png({ palette: true, compressionLevel: 9 }).bytes();
  const path = join(IMAGES, `${name}.png`);
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
  for (const picture of PICTURES) await take(household, picture, browser);
} finally {
  await browser.close();
  await household.stop();
}
