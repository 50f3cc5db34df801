import { expect, test } from "bun:test";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { copy, goTo, openDashboard } from "../support/browser-dashboard.ts";
import { useScene } from "../support/scene.ts";
import { connectV2Agent, streamPieces } from "../support/v2-agent.ts";

/** Whether the page fits the window's width. */
const IS_WITHIN = "document.documentElement.scrollWidth <= innerWidth";

inBrowser("dashboard: phone", (browser) => {
  const scene = useScene();

  test("on a phone a setting is a card, which shows its description without scrolling sideways", async () => {
    const page = await openDashboard(browser, scene, { phone: true, dark: true });
    await goTo(page, "Settings");
    const card = page.getByRole("row").filter({
      has: page.getByRole("rowheader", { name: "--queue-max", exact: true }),
    });
    await shows(card);
    const table = page.getByRole("group", { name: "Settings in effect" });
    expect(await table.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
    const name = await card.getByRole("rowheader").boundingBox();
    const about = await card.getByText("CHATGPT_API_QUEUE_MAX").boundingBox();
    if (!name || !about) throw new Error("The card has no name, or no description.");
    expect(about.y).toBeGreaterThan(name.y);
    expect(about.x + about.width).toBeLessThanOrEqual(390);
    // Short enough that several of them are seen at once.
    expect((await card.boundingBox())?.height).toBeLessThan(300);
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
