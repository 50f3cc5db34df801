import { expect } from "bun:test";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { DESKTOP, PHONE } from "./browser.ts";

interface Look {
  name: string;
  colorScheme: "light" | "dark";
  viewport: typeof DESKTOP;
  /** Whether the colors only are new in it. */
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

/** Of a page as it is now: what axe-core finds, a line each. */
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

/** How much of the page is beyond the right edge, and which elements are there that reach furthest. */
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

/**
 * Fails for what axe-core finds on the page, or when it must be scrolled sideways, on a desktop and 360 pixels
 * wide, in light and dark. Of the second scheme of a width only what colors decide is looked at again.
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
    if (excess.pixels > 0) violations.push(`${excess.pixels} pixels wider than the window: ${excess.by}`);
    if (violations.length > 0) found[name] = violations;
  }
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: "light" });
  expect(found).toEqual({});
}
