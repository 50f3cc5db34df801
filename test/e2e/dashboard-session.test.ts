import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { goTo, openDashboard, typeKey } from "../support/browser-dashboard.ts";
import { startExecutable } from "../support/executable.ts";
import { useScene } from "../support/scene.ts";
import { tempFolder } from "../support/store.ts";

const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });
const again = (page: Page) => page.getByRole("dialog", { name: "Sign in" });

inBrowser("dashboard: the end of a session", (browser) => {
  const scene = useScene();

  test("a half-filled form survives the end of the session, and can be sent after a new sign-in", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Users");
    await page.getByRole("button", { name: "Add a user" }).click();
    const dialog = page.getByRole("dialog", { name: "Add a user" });
    await dialog.getByLabel("Name").fill("Typed Before");
    await dialog.getByLabel("Tokens per day").fill("77");
    await page.context().clearCookies();
    browser.allow(/status of 401/);
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await shows(again(page).getByText("Your session has ended. Sign in again."));
    expect(await page.evaluate("document.activeElement.name")).toBe("key");
    await checkAccessibility(page);
    await page.keyboard.press("Escape");
    await shows(again(page));
    await typeKey(page, "a wrong key");
    await shows(again(page).getByRole("alert"));
    await hides(again(page).getByText("Your session has ended. Sign in again."));
    await typeKey(page, scene.adminKey);
    await hides(again(page));
    expect(await dialog.getByLabel("Name").inputValue()).toBe("Typed Before");
    expect(await dialog.getByLabel("Tokens per day").inputValue()).toBe("77");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await shows(page.getByRole("dialog", { name: "Token for Typed Before" }));
  });

  test("a person who signs in instead of another gets pages of their own", async () => {
    const { token } = await scene.addUser();
    const page = await openDashboard(browser, scene);
    await goTo(page, "Settings");
    await shows(page.getByRole("table", { name: "Settings in effect" }));
    await page.context().clearCookies();
    browser.allow(/status of 401/);
    await page.getByRole("link", { name: "Audit log" }).click();
    await shows(again(page));
    await typeKey(page, token);
    await shows(heading(page, "Page not found"));
    await hides(page.getByRole("link", { name: "Settings" }));
  });

  test("a sign-in in one tab brings the other tabs back", async () => {
    const page = await openDashboard(browser, scene);
    const [ended, out] = [await page.context().newPage(), await page.context().newPage()];
    for (const tab of [ended, out]) {
      await tab.goto(`${scene.url}/dashboard#/settings`);
      await shows(tab.getByRole("table", { name: "Settings in effect" }));
    }
    browser.allow(/status of 401/);
    await page.context().clearCookies();
    await ended.getByRole("link", { name: "Audit log" }).click();
    await shows(again(ended));
    await out.getByRole("button", { name: "Sign out" }).click();
    await shows(page.getByText("You have signed out."), out.getByText("You have signed out."));
    await typeKey(page, scene.adminKey);
    await shows(heading(page, "Overview"), heading(out, "Settings"), heading(ended, "Audit log"));
  });

  test("a page that could not load while the server was away loads by itself when it is back", async () => {
    const adminKey = `admin-${crypto.randomUUID()}`;
    const data = tempFolder();
    const first = await startExecutable({ args: ["0", adminKey], data });
    const page = await openDashboard(browser, { url: first.url, adminKey });
    await shows(page.getByText("Live", { exact: true }));
    browser.allow(/WebSocket connection|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE/);
    first.kill();
    await first.exited;
    await shows(page.getByText("The server does not answer."));
    expect(await page.getByText("Ready", { exact: true }).count()).toBe(0);
    await page.getByRole("link", { name: "Settings" }).click();
    await shows(page.getByRole("alert").getByText("The server cannot be reached."));
    await startExecutable({ args: [String(first.port), adminKey], data });
    await shows(page.getByRole("table", { name: "Settings in effect" }));
  });
});
