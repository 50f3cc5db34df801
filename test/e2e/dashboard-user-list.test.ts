import { expect, test } from "bun:test";
import { inBrowser, shows } from "../support/browser.ts";
import { goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { startScene } from "../support/scene.ts";

inBrowser("dashboard: user list", (browser) => {
  test("the user list has an empty state, and pages and a search for 200 users", async () => {
    const scene = await startScene();
    const page = await openDashboard(browser, scene);
    await goTo(page, "Users");
    await shows(page.getByText("There are no users yet."));
    const add = (name: string) =>
      scene.request("/admin/users/add", {
        method: "POST",
        headers: { authorization: scene.adminKey },
        body: JSON.stringify({ name }),
      });
    await add("number-1");
    await page.reload();
    await shows(page.getByText("1 user,"), rowOf(page, "Users", "number-1"));
    for (let count = 2; count <= 200; count++) await add(`number-${count}`);
    await page.reload();
    await shows(
      page.getByText("200 users,"),
      page.getByText("Page 1 of 4"),
      rowOf(page, "Users", "number-200"),
    );
    await page.getByRole("button", { name: "Next" }).click();
    await shows(page.getByText("Page 2 of 4"), rowOf(page, "Users", "number-150"));
    await page.getByLabel("Search").fill("number-19");
    await shows(page.getByText("11 users found"));
    expect(await page.getByRole("rowheader").count()).toBe(11);
    await page.getByLabel("Sort by").selectOption("Name");
    await shows(page.getByRole("row").nth(1).getByText("number-19", { exact: true }));
    await page.getByLabel("Search").fill("nobody");
    await shows(page.getByText("No user matches."));
  });
});
