import { expect, test } from "bun:test";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { copy, goTo, openDashboard } from "../support/browser-dashboard.ts";
import { useScene } from "../support/scene.ts";
import { connectV2Agent, streamPieces } from "../support/v2-agent.ts";

/** Whether the page fits the window's width. */
const IS_WITHIN = "document.documentElement.scrollWidth <= innerWidth";

inBrowser("dashboard: phone", (browser) => {
  const scene = useScene();

  test("the name of a setting stays visible on a phone while its description is scrolled", async () => {
    const page = await openDashboard(browser, scene, { phone: true, dark: true });
    await goTo(page, "Settings");
    await shows(page.getByRole("rowheader", { name: "--queue-max", exact: true }));
    await page.getByRole("group", { name: "Settings in effect" }).evaluate((table) => {
      table.scrollLeft = table.scrollWidth;
    });
    const name = await page.getByRole("rowheader", { name: "--queue-max", exact: true }).boundingBox();
    expect(name?.x).toBeGreaterThanOrEqual(0);
    // Wide enough to be read, and narrow enough to leave room for the rest.
    expect(name?.width).toBeGreaterThan(100);
    expect(name?.width).toBeLessThan(150);
    expect(await page.evaluate(IS_WITHIN)).toBe(true);
  });

  test("adding a user and sending a message work by touch, in dark mode", async () => {
    const agent = await connectV2Agent(scene.url, {
      onAsk: ({ ask }, self) => streamPieces(self, ask, ["word ".repeat(200)]),
    });
    scene.after(() => agent.stop());
    const page = await openDashboard(browser, scene, { phone: true, dark: true });
    expect(await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")).toBe(true);
    await goTo(page, "Users");
    await page.getByRole("button", { name: "Add a user" }).tap();
    const dialog = page.getByRole("dialog", { name: "Add a user" });
    await dialog.getByLabel("Name").fill("Pia");
    await dialog.getByRole("button", { name: "Add", exact: true }).tap();
    scene.server.keepSecret(await copy(page, "the token"));
    expect(await page.evaluate(IS_WITHIN)).toBe(true);
    await page.getByRole("button", { name: "Done" }).tap();
    await hides(page.getByRole("dialog"));
    await goTo(page, "Try it");
    await page.getByLabel("Your message").fill("hello");
    await page.getByRole("button", { name: "Send" }).tap();
    await shows(page.getByRole("button", { name: "Try again" }));
    expect(await page.evaluate(IS_WITHIN)).toBe(true);
    await page.getByRole("button", { name: "Account", exact: true }).tap();
    await page.getByRole("button", { name: "Sign out" }).tap();
    await shows(page.getByText("You have signed out."));
  });
});
