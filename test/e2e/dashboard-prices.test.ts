import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import type { PriceList } from "../../src/prices/price-list.ts";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { button, copy, goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { type Scene, startScene } from "../support/scene.ts";
import { connectV2Agent, V2_HELLO } from "../support/v2-agent.ts";

const LONG_MODEL = `hf.co/somebody/${"Model-Name-".repeat(6)}GGUF:Q4_K_M`;

/** The titles that are shown above the prices of the first model. */
const SHOWN_TITLES = `[...document.querySelectorAll("table.prices tbody tr:first-child td")]
  .map((cell) => getComputedStyle(cell, "::before").content)`;

async function addPrice(page: Page, row: number, fields: Record<string, string>): Promise<void> {
  await button(page, "Add a model").click();
  for (const [label, text] of Object.entries(fields))
    await page.getByLabel(`Row ${row}: ${label}`, { exact: true }).fill(text);
}

async function pricesOf(scene: Scene): Promise<PriceList> {
  const { body } = await scene.request<{ settings: { prices: { current: PriceList } } }>("/admin/settings", {
    headers: { authorization: scene.adminKey },
  });
  return body.settings.prices.current;
}

inBrowser("dashboard: prices and budgets", (browser) => {
  test("prices are entered, refused with a reason, kept, and taken back", async () => {
    const scene = await startScene({ flags: ["--echo"] });
    const page = await openDashboard(browser, scene);
    await goTo(page, "Prices");
    await shows(page.getByText("No model has a price."));
    await page.getByLabel("Currency").fill("CHF");
    await addPrice(page, 1, { Model: "echo", Input: "lots" });
    await button(page, "Save").click();
    await shows(page.getByText("echo: Input must be a number that is not negative"));
    expect(await page.getByLabel("Row 1: Model").inputValue()).toBe("echo");
    await page.getByLabel("Row 1: Input").fill("2.5");
    await addPrice(page, 2, { Model: "gpt-*", Output: "10", Hour: "0.4" });
    await checkAccessibility(page);
    await button(page, "Save").click();
    await shows(page.getByText("Saved the prices."));
    const saved = { currency: "CHF", models: { echo: { input: 2.5 }, "gpt-*": { output: 10, hour: 0.4 } } };
    expect(await pricesOf(scene)).toEqual(saved);
    await page.reload();
    expect(await page.getByLabel("Row 2: Hour").inputValue()).toBe("0.4");
    await button(page, "Remove row 1").click();
    expect(await page.getByLabel("Row 1: Model").inputValue()).toBe("gpt-*");
    const saving = page.waitForResponse((response) => response.request().method() === "PATCH");
    await button(page, "Save").click();
    await saving;
    await hides(page.getByLabel("Row 2: Model"));
    expect(await pricesOf(scene)).toEqual({
      currency: "CHF",
      models: { "gpt-*": { output: 10, hour: 0.4 } },
    });
    await button(page, "Use the server's settings").click();
    await shows(page.getByText("No model has a price."));
    await hides(button(page, "Use the server's settings"));
  });

  test.each([1440, 1280])(
    "the highest price is not cut off in its field, and all fields have room in a window of %p pixels",
    async (width) => {
      const models = { "org/*": { input: 1_000_000_000, output: 1_000_000_000 } };
      const scene = await startScene({ flags: ["--prices", JSON.stringify({ currency: "EUR", models })] });
      const page = await openDashboard(browser, scene);
      await page.setViewportSize({ width, height: 900 });
      await goTo(page, "Prices");
      for (const element of [
        page.getByLabel("Row 1: Output"),
        page.getByRole("region", { name: "Price list" }),
        page.getByRole("group", { name: "Price list" }),
      ]) {
        await shows(element);
        const [content, room] = await element.evaluate((one) => [one.scrollWidth, one.clientWidth]);
        expect(content).toBeLessThanOrEqual(room ?? 0);
      }
    },
  );

  test.each([360, 820])(
    "in a window of %p pixels each model has a card with the titles of its prices, without a sideways scroll",
    async (width) => {
      const models = { [LONG_MODEL]: { input: 3, hour: 0.4 }, other: { output: 1 } };
      const scene = await startScene({ flags: ["--prices", JSON.stringify({ currency: "EUR", models })] });
      const page = await openDashboard(browser, scene, { phone: true });
      await page.setViewportSize({ width, height: 740 });
      await goTo(page, "Prices");
      const list = page.getByRole("group", { name: "Price list" });
      await shows(list);
      expect(await list.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
      expect(await page.evaluate<string[]>(SHOWN_TITLES)).toContain('"Cached input"');
      await button(page, "Remove row 1").tap();
      expect(await page.getByLabel("Row 1: Model").inputValue()).toBe("other");
    },
  );

  test("the list of models shows a long name in whole lines, and its field shows the whole of it on hover", async () => {
    const scene = await startScene();
    const agent = await connectV2Agent(scene.url, { hello: { ...V2_HELLO, models: [{ id: LONG_MODEL }] } });
    scene.after(() => agent.stop());
    const page = await openDashboard(browser, scene);
    await goTo(page, "Prices");
    await button(page, "Add a model").click();
    const field = page.getByLabel("Row 1: Model");
    await field.click();
    const option = page.getByRole("option", { name: LONG_MODEL });
    await shows(option);
    expect(await option.evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0);
    await option.click();
    await page.getByLabel("Currency").hover();
    await field.hover();
    expect(await field.getAttribute("title")).toBe(LONG_MODEL);
  });

  test("eight numbers stand in two rows of four where they have no room in one", async () => {
    const prices = JSON.stringify({ currency: "EUR", models: { echo: { input: 1 } } });
    const scene = await startScene({ flags: ["--echo", "--prices", prices] });
    await scene.ask({ content: "hi", model: "echo" });
    const page = await openDashboard(browser, scene);
    await page.setViewportSize({ width: 1440, height: 900 });
    await goTo(page, "Traffic");
    await shows(page.locator(".tile").nth(7));
    const tops = await page
      .locator(".tile")
      .evaluateAll((tiles) => tiles.map((tile) => Math.round(tile.getBoundingClientRect().top)));
    const rows = [...new Set(tops)].map((top) => tops.filter((other) => other === top).length);
    expect(rows).toEqual([4, 4]);
  });

  test("a change that someone else has made meanwhile is not overwritten at once", async () => {
    const scene = await startScene({ flags: ["--echo"] });
    const page = await openDashboard(browser, scene);
    await goTo(page, "Prices");
    await addPrice(page, 1, { Model: "echo", Input: "1" });
    const headers = { authorization: scene.adminKey };
    const prices = { currency: "EUR", models: { other: { input: 3 } } };
    await scene.request("/admin/settings", { method: "PATCH", headers, body: JSON.stringify({ prices }) });
    browser.allow(/status of 412/);
    await button(page, "Save").click();
    await shows(page.getByRole("alert").getByText(/^Somebody else has changed the settings meanwhile/));
    expect(await page.getByLabel("Row 1: Input").inputValue()).toBe("1");
    expect(await pricesOf(scene)).toEqual(prices);
    await button(page, "Save").click();
    await shows(page.getByText(/^Saved the prices/));
    expect((await pricesOf(scene)).models).toEqual({ echo: { input: 1 } });
  });

  test("usage, the request and the user's own page show costs, and what is left of a budget", async () => {
    const prices = JSON.stringify({ currency: "EUR", models: { "ec*": { input: 1_000_000, output: 0 } } });
    const scene = await startScene({ flags: ["--echo", "--prices", prices] });
    const page = await openDashboard(browser, scene);
    await goTo(page, "Users");
    await button(page, "Add a user").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Ann");
    await dialog.getByLabel("Budget per day (EUR)").fill("2.5");
    await dialog.getByLabel("Budget per month (EUR)").fill("nothing");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await shows(dialog.getByText("Budget per month must be an amount greater than 0"));
    await dialog.getByLabel("Budget per month (EUR)").fill("60");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await shows(page.getByRole("dialog", { name: "Token for Ann" }));
    const token = await copy(page, "the token");
    scene.server.keepSecret(token);
    await button(page, "Done").click();
    await shows(rowOf(page, "Users", "Ann").getByText("€2.50 a day, €60.00 a month"));

    // Four letters are a token, and each costs a euro.
    const ask = () => scene.ask({ content: "four" }, { key: token });
    const statuses = [];
    for (let asks = 0; asks < 4; asks++) statuses.push((await ask()).status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0);
    expect(statuses.at(-1)).toBe(429);

    await goTo(page, "Usage");
    await shows(page.getByText("Cost per day", { exact: true }));
    await page.getByRole("radio", { name: "By model" }).check();
    await shows(
      page
        .getByRole("table", { name: "Usage by model" })
        .getByText(/^€\d+\.\d\d$/)
        .first(),
    );
    await goTo(page, "Requests");
    await page.getByRole("table", { name: "Requests, newest first" }).getByRole("link").first().click();
    await shows(page.getByRole("dialog", { name: "Request" }).getByText(/^€\d+\.\d\d$/));

    const own = await openDashboard(browser, scene, { key: token, phone: true });
    await goTo(own, "Usage");
    await shows(own.getByText("€0.00 of €2.50 left"), own.getByText(/of €60\.00 left/));
    await shows(own.getByText(/budget of the day/));
    await checkAccessibility(own);
  });
});
