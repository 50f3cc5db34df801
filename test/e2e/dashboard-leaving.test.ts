import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { inBrowser, shows } from "../support/browser.ts";
import { openDashboard } from "../support/browser-dashboard.ts";
import { useScene } from "../support/scene.ts";

/** The addresses of all pages, with their headings. */
const PAGES: Record<string, string> = {
  overview: "Overview",
  traffic: "Traffic",
  requests: "Requests",
  agents: "Agents",
  "agents/join": "Connect an agent",
  users: "Users",
  usage: "Usage",
  prices: "Prices",
  try: "Try it",
  connect: "Connect",
  settings: "Settings",
  audit: "Audit log",
};

/** Draws each frame a second late, as a busy phone does, and so calls what waits for a frame. */
const DELAY_FRAMES = "globalThis.requestAnimationFrame = (draw) => setTimeout(draw, 1000)";

const headingsOf = (page: Page): Promise<string[]> =>
  page.evaluate("[...document.querySelectorAll('h1')].map(({ textContent }) => textContent)");

const PAIRS = Object.keys(PAGES).flatMap((from) =>
  Object.keys(PAGES).flatMap((to): [string, string][] => (to === from ? [] : [[from, to]])),
);
const TABS = 4;

async function goToHash(page: Page, path: string): Promise<void> {
  await page.evaluate(`location.hash = "#/${path}"`);
  await shows(page.getByRole("heading", { level: 1, name: PAGES[path] ?? "", exact: true }));
}

/** Returns the pairs of pages of which both are shown at the end. */
async function ghostsOf(page: Page, pairs: readonly [string, string][]): Promise<string[]> {
  const ghosts: string[] = [];
  for (const [from, to] of pairs) {
    await goToHash(page, from);
    await goToHash(page, to);
    // By then all frames of the page that was left have been drawn, and its requests answered.
    await page.evaluate("new Promise((resolve) => setTimeout(resolve, 1200))");
    const headings = await headingsOf(page);
    if (headings.length !== 1) ghosts.push(`${from} → ${to}: ${headings.join(", ")}`);
  }
  return ghosts;
}

inBrowser("dashboard: leaving a page", (browser) => {
  const scene = useScene(["--echo"]);

  test("a page that is left before its first frame never comes back below the next one", async () => {
    const page = await openDashboard(browser, scene);
    await page.context().addInitScript(DELAY_FRAMES);
    const ghosts = Array.from({ length: TABS }, async (_, index) => {
      const tab = await page.context().newPage();
      await tab.goto(`${scene.url}/dashboard#/overview`);
      return ghostsOf(
        tab,
        PAIRS.filter((_, at) => at % TABS === index),
      );
    });
    expect((await Promise.all(ghosts)).flat()).toEqual([]);
  });

  test("a page loads though the browser draws no frame, as in a tab in the background", async () => {
    const page = await openDashboard(browser, scene);
    await page.addInitScript("globalThis.requestAnimationFrame = () => 0");
    await page.goto(`${scene.url}/dashboard#/settings`);
    await page.reload();
    await shows(page.getByRole("table", { name: "Settings in effect" }));
  });
});
