import { expect, test } from "bun:test";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { copy, goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { startScene } from "../support/scene.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../support/v2-agent.ts";

/** All tests of the dashboard can be run so: `CPU_THROTTLING=4 bun test test/e2e/dashboard-*`. */
const CPU_THROTTLING = 4;

/** The pages, each with a text that is there once it is complete, or else its title. */
const PAGES: Record<string, string> = {
  Traffic: "Requests per minute",
  Requests: "slow box",
  Agents: "slow box",
  Models: "There are no fallbacks.",
  Users: "Ann",
  Usage: "Usage",
  Prices: "Prices",
  "Try it": "Enter sends",
  Connect: "Address of this server",
  Settings: "Settings",
  "Audit log": "Audit log",
};

inBrowser("dashboard: a slow computer", (browser) => {
  test("a slow computer shows every page, also those that were left at once, and finds and adds things", async () => {
    const scene = await startScene();
    const agent = await connectV2Agent(scene.url, {
      hello: { ...V2_HELLO, name: "slow box" },
      onAsk({ ask }, self) {
        streamPieces(self, ask, ["all is well"]);
      },
    });
    scene.after(() => agent.stop());
    await scene.ask({ content: "hello" });
    const page = await openDashboard(browser, scene, { cpuThrottling: CPU_THROTTLING });
    await shows(page.getByText("Live", { exact: true }));
    const navigation = page.getByRole("navigation", { name: "Pages", exact: true });

    await goTo(page, "Users");
    await page.getByRole("button", { name: "Add a user" }).first().click();
    const dialog = page.getByRole("dialog", { name: "Add a user" });
    await dialog.getByLabel("Name").fill("Ann");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await copy(page, "the token");
    await page.getByRole("button", { name: "Done", exact: true }).click();

    for (const [title, text] of Object.entries(PAGES)) {
      // The pages before are left while they load.
      for (const left of ["Overview", "Agents"]) await navigation.getByRole("link", { name: left }).click();
      await goTo(page, title);
      await shows(page.getByRole("main").getByText(text));
      expect(await page.getByRole("heading", { level: 1 }).allTextContents()).toEqual([title]);
    }

    await goTo(page, "Requests");
    const list = "Requests, newest first";
    await shows(rowOf(page, list, "slow box"));
    await page.getByLabel("Result", { exact: true }).selectOption("failed");
    await hides(rowOf(page, list, "slow box"));
    await page.getByLabel("Result", { exact: true }).selectOption("");
    await rowOf(page, list, "slow box")
      .getByRole("link", { name: /details/ })
      .click();
    await shows(page.getByRole("dialog", { name: "Request" }).getByText("slow box").first());
  });
});
