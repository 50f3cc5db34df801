import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { openDashboard } from "../support/browser-dashboard.ts";
import { useScene } from "../support/scene.ts";
import { connectV2Agent, V2_HELLO } from "../support/v2-agent.ts";

const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });
const search = (page: Page) => page.getByRole("combobox", { name: "Search pages, agents, users and models" });
const background = (page: Page): Promise<string> =>
  page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
const chosen = (page: Page, name: string) => shows(page.getByRole("option", { name, selected: true }));

const DARK = "rgb(14, 19, 25)";
const LIGHT = "rgb(246, 247, 249)";

inBrowser("dashboard: frame", (browser) => {
  const scene = useScene();

  test("Ctrl+K finds pages, users, models and requests, by keyboard alone", async () => {
    const user = await scene.addUser();
    const agent = await connectV2Agent(scene.url, { hello: { ...V2_HELLO, models: [{ id: "llama3.3" }] } });
    scene.after(() => agent.stop());
    const page = await openDashboard(browser, scene);
    await page.keyboard.press("Control+k");
    await shows(search(page));
    await checkAccessibility(page);

    await page.keyboard.type("usag");
    await chosen(page, "Usage");
    await page.keyboard.press("Enter");
    await shows(heading(page, "Usage"));

    await page.keyboard.press("Control+k");
    await page.keyboard.type(user.user_id.slice(0, 13));
    await chosen(page, "User");
    await page.keyboard.press("Enter");
    await page.waitForURL(`**#/users/${user.user_id}`);

    await page.keyboard.press("Control+k");
    await page.keyboard.type("llama");
    await chosen(page, "llama3.3");
    await page.keyboard.press("Enter");
    await page.waitForURL("**#/models/llama3.3");

    await page.keyboard.press("Control+k");
    await page.keyboard.type("0f5c1c1a-1111-7222-8333-444455556666");
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.hash === "#/requests?id=0f5c1c1a-1111-7222-8333-444455556666");
    await shows(page.getByText("No requests match."));

    await page.keyboard.press("Control+k");
    await page.keyboard.press("ArrowDown");
    await chosen(page, "Traffic");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    await hides(page.getByRole("option", { name: "Overview", selected: true }));
    await page.keyboard.type("%%% no such thing");
    await shows(page.getByText("Nothing has this name."));
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await hides(page.getByRole("dialog"));
  });

  test("Ctrl+K leaves an open dialog with what was typed into it alone", async () => {
    const page = await openDashboard(browser, scene);
    await page.goto(`${scene.url}/dashboard#/users`);
    await page.getByRole("button", { name: "Add a user" }).click();
    await page.getByRole("dialog", { name: "Add a user" }).getByLabel("Name").fill("Ann");
    await page.keyboard.press("Control+k");
    await hides(search(page));
    expect(await page.getByRole("dialog").getByLabel("Name").inputValue()).toBe("Ann");
  });

  test("a user finds the pages and models of their own, and no users or agents", async () => {
    const user = await scene.addUser();
    const page = await openDashboard(browser, scene, { key: user.token });
    await page.getByRole("button", { name: "Search" }).click();
    await shows(page.getByRole("option", { name: "Usage" }));
    const found = await page.getByRole("option").allInnerTexts();
    expect(found.join()).not.toMatch(/Users|Audit|Settings|Connect an agent/);
  });

  test("the account of a user without a name stays within the navigation", async () => {
    const { token } = await scene.addUser();
    const page = await openDashboard(browser, scene, { key: token });
    const side = await page.locator(".top").boundingBox();
    for (const part of [page.getByRole("button", { name: "Sign out" }), page.locator(".account .segments")]) {
      const box = await part.boundingBox();
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThan((side?.x ?? 0) + (side?.width ?? 0));
    }
  });

  test("the chosen colors win over the system's, and stay in other tabs and after a reload", async () => {
    const page = await openDashboard(browser, scene);
    const tab = await page.context().newPage();
    await tab.goto(`${scene.url}/dashboard`);
    await shows(heading(tab, "Overview"));
    expect(await background(page)).toBe(LIGHT);
    await page.getByLabel("Dark", { exact: true }).check();
    expect(await background(page)).toBe(DARK);
    await shows(tab.locator('html[data-theme="dark"]'));
    await page.reload();
    await shows(heading(page, "Overview"));
    expect(await background(page)).toBe(DARK);
    await checkAccessibility(page);
    await page.getByLabel("Auto", { exact: true }).check();
    expect(await background(page)).toBe(LIGHT);
    await page.emulateMedia({ colorScheme: "dark" });
    await shows(page.locator('html[data-theme="dark"]'));
  });
});
