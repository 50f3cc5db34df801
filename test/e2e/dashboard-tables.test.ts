import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { useScene } from "../support/scene.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../support/v2-agent.ts";

const LONG = `a-name-${"that-goes-on-".repeat(8)}end`;

/** Returns by how many pixels the table is wider than its box. */
const hiddenWidth = (page: Page, name: string): Promise<number> =>
  page.getByRole("group", { name }).evaluate((box) => box.scrollWidth - box.clientWidth);

inBrowser("dashboard: tables", (browser) => {
  const scene = useScene();

  async function addUser(body: object): Promise<{ user_id: string; token: string }> {
    const headers = { authorization: scene.adminKey };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    return (await scene.request<{ user_id: string; token: string }>("/admin/users/add", init)).body;
  }

  async function connect(name: string) {
    const agent = await connectV2Agent(scene.url, {
      hello: { ...V2_HELLO, name },
      onAsk: ({ ask }, self) => streamPieces(self, ask, ["fine"]),
    });
    scene.after(() => agent.stop());
    return agent;
  }

  test("a long name takes one line, and is whole on hover and while it has the focus", async () => {
    await connect(LONG);
    const user = await addUser({
      ...{ name: LONG, models: ["m", LONG], requests_per_minute: 600, tokens_per_day: 2_000_000 },
      max_parallel: 8,
    });
    await scene.ask({ content: "hello", model: "m", stream: true }, { key: user.token });
    const page = await openDashboard(browser, scene);
    await goTo(page, "Users");
    await page.setViewportSize({ width: 1440, height: 900 });
    const link = page.getByRole("table", { name: "Users" }).getByRole("link", { name: LONG });
    await shows(link);
    expect(await hiddenWidth(page, "Users")).toBeLessThanOrEqual(0);
    const heightOf = async () => (await link.locator("..").boundingBox())?.height ?? 0;
    const oneLine = await heightOf();
    expect(oneLine).toBeLessThan(30);
    expect(await link.locator("..").getAttribute("title")).toContain(LONG);
    // The next focus is one by the keyboard, as the last key decides.
    await page.keyboard.press("Tab");
    await link.focus();
    expect(await heightOf()).toBeGreaterThan(oneLine * 1.5);
    await goTo(page, "Usage");
    for (const group of ["By agent", "By user"]) {
      await page.getByRole("radio", { name: group }).check();
      await shows(page.getByRole("table", { name: `Usage ${group.toLowerCase()}` }).getByText(LONG));
      expect(await hiddenWidth(page, `Usage ${group.toLowerCase()}`)).toBeLessThanOrEqual(0);
    }
  });

  test("on a phone the rows are cards that show everything without scrolling sideways", async () => {
    await connect("gpu box");
    const user = await addUser({ name: "Zoë", max_parallel: 3 });
    await scene.ask({ content: "hello", model: "m", stream: true }, { key: user.token });
    const page = await openDashboard(browser, scene, { phone: true });
    await shows(rowOf(page, "Recent requests", "Zoë"));
    expect(await hiddenWidth(page, "Recent requests")).toBeLessThanOrEqual(0);
    await goTo(page, "Users");
    await shows(rowOf(page, "Users", "Zoë").getByRole("cell").filter({ hasText: "3 concurrent" }));
    expect(await hiddenWidth(page, "Users")).toBeLessThanOrEqual(0);
    await checkAccessibility(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await goTo(page, "Audit log");
    await shows(rowOf(page, "Changes by administrators", "user.add"));
    expect(await hiddenWidth(page, "Changes by administrators, newest first")).toBeLessThanOrEqual(0);
  });

  test("a search finds names without their accents, and Back returns to it", async () => {
    await addUser({ name: "Jürgen Łukasz" });
    const page = await openDashboard(browser, scene);
    await goTo(page, "Users");
    await page.getByLabel("Search").fill("jurgen lukasz");
    await page.getByLabel("Sort by").selectOption({ label: "Name" });
    expect(page.url()).toContain("search=jurgen");
    await page.getByRole("table", { name: "Users" }).getByRole("link").click();
    await shows(page.getByRole("heading", { level: 1, name: "Jürgen Łukasz" }));
    await page.goBack();
    await shows(rowOf(page, "Users", "Jürgen"));
    expect(await page.getByLabel("Search").inputValue()).toBe("jurgen lukasz");
    expect(await page.getByLabel("Sort by").inputValue()).toBe("name");
    await page.reload();
    await shows(rowOf(page, "Users", "Jürgen"));
    expect(await page.getByRole("table", { name: "Users" }).getByRole("rowheader").count()).toBe(1);
  });

  test("the period and the group of the usage are in the address", async () => {
    await connect("gpu box");
    await scene.ask({ content: "hello", model: "m", stream: true });
    const page = await openDashboard(browser, scene);
    await page.goto(`${scene.url}/dashboard#/usage?period=7&by=agent`);
    await shows(page.getByRole("table", { name: "Usage by agent" }).getByText("gpu box").first());
    expect(await page.getByLabel("Period").inputValue()).toBe("7");
    await page.getByRole("radio", { name: "By model" }).check();
    await shows(page.getByRole("table", { name: "Usage by model" }));
    expect(page.url()).toEndWith("#/usage?period=7&by=model");
  });

  test("the rows of recent requests stay where they are while the pointer is on them", async () => {
    await connect("gpu box");
    const ask = (model: string) => scene.ask({ content: "hello", model, stream: true });
    await ask("m");
    const page = await openDashboard(browser, scene);
    const rows = page.getByRole("table", { name: "Recent requests" }).getByRole("row");
    await shows(rows.nth(1));
    await rows.nth(1).hover();
    const before = await rows.count();
    await ask("m");
    await shows(page.getByText("Paused while you point at it"));
    expect(await rows.count()).toBe(before);
    await page.mouse.move(2, 2);
    await hides(page.getByText("Paused while you point at it"));
    await shows(rows.nth(before));
  });

  test("a token that was not copied is not closed away by one key", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Users");
    await page.getByRole("button", { name: "Add a user" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Token for the new user" });
    await shows(dialog);
    await page.keyboard.press("Escape");
    await shows(dialog.getByRole("alert").getByText("You have not copied the token."));
    await dialog.getByRole("button", { name: "Close without the token" }).click();
    await hides(dialog);
  });
});
