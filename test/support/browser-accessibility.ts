import { expect } from "bun:test";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { DESKTOP, PHONE } from "./browser.ts";

interface Look {
  name: string;
  colorScheme: "light" | "dark";
  viewport: typeof DESKTOP;
  /** Whether only the colors differ from another look. */
  colors: boolean;
}

const LOOKS: readonly Look[] = [
  { name: "desktop, light", colorScheme: "light", viewport: DESKTOP, colors: false },
  { name: "desktop, dark", colorScheme: "dark", viewport: DESKTOP, colors: true },
  { name: "phone, dark", colorScheme: "dark", viewport: PHONE, colors: false },
  { name: "phone, light", colorScheme: "light", viewport: PHONE, colors: true },
];

interface Violation {
  id: string;
  help: string;
  nodes: { target: string[]; failureSummary?: string }[];
}

/** Returns what axe-core finds on the page in its current state, one line per violation. */
export async function violationsOf(page: Page, only?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate("'axe' in globalThis"))) await page.evaluate(axe.source);
  const options = {
    resultTypes: ["violations"],
    rules: { "target-size": { enabled: true } },
    ...(only && { runOnly: only }),
  };
  const violations: Violation[] = await page.evaluate(
    `axe.run(${JSON.stringify(options)}).then(({ violations }) => violations)`,
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(" ")}: ${failureSummary ?? ""}`),
  );
}

/** Returns by how many pixels the page exceeds the window's width, and the elements that reach furthest. */
const EXCESS = `({
  pixels: document.documentElement.scrollWidth - innerWidth,
  by: [...document.querySelectorAll("body *")]
    .map((element) => ({ element, right: element.getBoundingClientRect().right }))
    .filter(({ right }) => right > innerWidth)
    .sort((a, b) => b.right - a.right)
    .slice(0, 3)
    .map(({ element }) => element.localName + "." + element.className)
    .join(", "),
})`;

/** Returns by how many pixels the document is longer than what the page shows. */
const EMPTY_BELOW = `document.documentElement.scrollHeight -
  Math.max(innerHeight, (document.getElementById("root") ?? document.body).getBoundingClientRect().bottom + scrollY)`;

/** Fails if the page can be scrolled below its end. */
export async function checkPageEnd(page: Page): Promise<void> {
  expect(await page.evaluate(EMPTY_BELOW)).toBeLessThan(2);
}

/**
 * Fails if axe-core finds violations on the page, or if the page is wider than the window or longer than its content: on a desktop and
 * on a phone, in light and dark mode. The second mode of each width is checked only for what colors decide.
 */
export async function checkAccessibility(page: Page): Promise<void> {
  const found: Record<string, string[]> = {};
  for (const { name, colorScheme, viewport, colors } of LOOKS) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    const violations = await violationsOf(
      page,
      colors ? ["color-contrast", "link-in-text-block"] : undefined,
    );
    const excess: { pixels: number; by: string } = await page.evaluate(EXCESS);
    await checkPageEnd(page);
    if (excess.pixels > 0) violations.push(`${excess.pixels} pixels wider than the window: ${excess.by}`);
    if (violations.length > 0) found[name] = violations;
  }
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: "light" });
  expect(found).toEqual({});
}
