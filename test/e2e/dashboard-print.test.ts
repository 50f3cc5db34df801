import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { DESKTOP, inBrowser, shows } from "../support/browser.ts";
import { goTo, openDashboard } from "../support/browser-dashboard.ts";
import { useScene } from "../support/scene.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../support/v2-agent.ts";

/** Evaluates an expression about the first element that matches. */
const read = <T>(page: Page, selector: string, expression: string): Promise<T> =>
  page.evaluate(`((element) => ${expression})(document.querySelector(${JSON.stringify(selector)}))`);

const styleOf = (page: Page, selector: string, property: string) =>
  read<string>(page, selector, `getComputedStyle(element)[${JSON.stringify(property)}]`);

/** The room on a sheet of A4 with the usual margins of 1 cm, in CSS pixels. */
const A4 = { width: 718, height: 1046 };

inBrowser("dashboard: print and high contrast", (browser) => {
  const scene = useScene();

  test("a printed page has no navigation, the whole width, and dark letters, also of the dark theme", async () => {
    const page = await openDashboard(browser, scene, { dark: true });
    await goTo(page, "Settings");
    await shows(page.getByRole("table", { name: "Settings in effect" }));
    const onScreen = await styleOf(page, "main", "color");
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    for (const selector of [".top nav", ".top .account", ".palette-button", ".page-head .actions"])
      expect([selector, await read(page, selector, "element?.checkVisibility() ?? false")]).toEqual([
        selector,
        false,
      ]);
    expect(await read<number>(page, "main", "element.getBoundingClientRect().left")).toBe(0);
    expect(await read<number>(page, "main", "innerWidth - element.getBoundingClientRect().right")).toBe(0);
    const lightness = (color: string) => Number(/\d+/.exec(color)?.[0]);
    expect(lightness(onScreen)).toBeGreaterThan(128);
    for (const selector of ["h1", "td", "th", ".muted"])
      expect([selector, lightness(await styleOf(page, selector, "color")) < 128]).toEqual([selector, true]);
  });

  test("the widest tables fit a printed page", async () => {
    const agent = await connectV2Agent(scene.url, {
      hello: { ...V2_HELLO, name: "an agent with a name of several words", models: [{ id: "m" }] },
      onAsk: ({ ask }, self) => streamPieces(self, ask, ["well"]),
    });
    scene.after(() => agent.stop());
    await scene.ask({ content: "hello", model: "m" });
    const page = await openDashboard(browser, scene);
    for (const title of ["Overview", "Requests", "Agents", "Users", "Settings", "Audit log"]) {
      await page.setViewportSize(DESKTOP);
      await page.emulateMedia({ media: "screen" });
      await goTo(page, title);
      await page.waitForLoadState("networkidle");
      await page.setViewportSize(A4);
      await page.emulateMedia({ media: "print" });
      const width = await page.evaluate("document.documentElement.scrollWidth");
      expect([title, width]).toEqual([title, A4.width]);
    }
  });

  test("with forced colors, the current page and the chosen option look different from the others", async () => {
    const page = await openDashboard(browser, scene);
    await page.emulateMedia({ forcedColors: "active" });
    expect(await styleOf(page, "nav a[aria-current]", "outlineStyle")).toBe("solid");
    expect(await styleOf(page, "nav a:not([aria-current])", "outlineStyle")).toBe("none");
    const chosen = await styleOf(page, ".segment input:checked + span", "backgroundColor");
    expect(chosen).not.toBe(await styleOf(page, ".segment input:not(:checked) + span", "backgroundColor"));
  });
});
