import { expect, test } from "bun:test";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { useScene } from "../support/scene.ts";

const TABLE = "Signed-in browsers, newest first";

inBrowser("dashboard: sessions", (browser) => {
  const scene = useScene();

  test("an administrator signs a user's browser out, which then asks for the token", async () => {
    const user = await scene.addUser();
    const theirs = await openDashboard(browser, scene, { key: user.token });
    const page = await openDashboard(browser, scene);
    await page.getByRole("link", { name: "Administrator" }).click();
    await shows(rowOf(page, TABLE, "This browser"));
    const row = rowOf(page, TABLE, user.user_id.slice(0, 8));
    await shows(row.getByText("Chrome on Linux"), row.getByText("127.0.0.1"));
    await checkAccessibility(page);
    await row.getByRole("button", { name: "End the session of Chrome on Linux" }).click();
    const dialog = page.getByRole("dialog", { name: "End this session?" });
    await checkAccessibility(page);
    await dialog.getByRole("button", { name: "End", exact: true }).click();
    await shows(page.getByText("The session has ended."));
    await hides(row);
    browser.allow(/status of 401/);
    await theirs.goto(`${scene.url}/dashboard#/requests`);
    await shows(theirs.getByLabel("Key", { exact: true }));
  });

  test("users see their own browsers only, and end all others at once", async () => {
    const user = await scene.addUser();
    const other = await openDashboard(browser, scene, { key: user.token });
    const page = await openDashboard(browser, scene, { key: user.token });
    await openDashboard(browser, scene);
    await page.goto(`${scene.url}/dashboard#/sessions`);
    await shows(rowOf(page, TABLE, "This browser"));
    expect(await page.getByRole("table", { name: TABLE }).getByRole("row").count()).toBe(3);
    await page.getByRole("button", { name: "End all others" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "End", exact: true }).click();
    await hides(page.getByRole("button", { name: "End all others" }));
    browser.allow(/status of 401/);
    await other.goto(`${scene.url}/dashboard#/requests`);
    await shows(other.getByLabel("Key", { exact: true }));
    await shows(rowOf(page, TABLE, "This browser"));
  });
});
