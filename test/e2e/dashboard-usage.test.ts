import { expect, test } from "bun:test";
import { inBrowser, shows } from "../support/browser.ts";
import { goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { answering } from "../support/chat-agent.ts";
import { startScene, type User } from "../support/scene.ts";
import { until } from "../support/until.ts";
import { connectV2Agent, V2_HELLO } from "../support/v2-agent.ts";

/** Records in `drawn` every text that is drawn on a canvas from now on. */
const RECORD_DRAWN = `{
  globalThis.drawn = [];
  const { prototype } = CanvasRenderingContext2D;
  const { fillText } = prototype;
  prototype.fillText = function (text, ...rest) {
    drawn.push(text);
    return fillText.call(this, text, ...rest);
  };
}`;

inBrowser("dashboard: usage", (browser) => {
  test("usage is shown by day, model and user, and as CSV", async () => {
    const scene = await startScene({ flags: ["--echo"] });
    const { token } = await scene.addUser();
    const own = await openDashboard(browser, scene, { key: token });
    await goTo(own, "Usage");
    await shows(own.getByText("No requests in this period."));
    for (let asks = 0; asks < 3; asks++) await scene.ask({ content: "hello" }, { key: token });
    await own.reload();
    const table = own.getByRole("table", { name: "Usage by day (UTC)" });
    await shows(table.getByRole("cell", { name: "3", exact: true }));
    expect(await own.getByText("By user").count()).toBe(0);

    const page = await openDashboard(browser, scene);
    await goTo(page, "Usage");
    await page.getByRole("radio", { name: "By model" }).check();
    await shows(rowOf(page, "Usage by model", "echo"));
    await page.getByRole("radio", { name: "By user" }).check();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "CSV" }).click(),
    ]);
    const lines = (await Bun.file(await file.path()).text()).trim().split("\r\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain("user");
  });

  test("the table of usage has room in a window of 1280 pixels, and costs of nothing have an axis of whole units", async () => {
    const model = `anthropic/claude-${"long-name-".repeat(5)}`;
    const prices = { currency: "CHF", models: { [model]: { input: 1_000_000 } } };
    const scene = await startScene({ flags: ["--echo", "--prices", JSON.stringify(prices)] });
    const page = await openDashboard(browser, scene);
    await page.evaluate(RECORD_DRAWN);
    await scene.ask({ content: "hello", model: "nowhere" });
    await scene.ask({ content: "hello" });
    await page.evaluate("location.hash = '#/usage?by=model'");
    const drawn = () => page.evaluate<string[]>("drawn");
    await until(async () => (await drawn()).includes("CHF\u00a01.00"));
    expect((await drawn()).filter((one) => /0\.0000/.test(one))).toEqual([]);

    const agent = await connectV2Agent(scene.url, {
      hello: { ...V2_HELLO, models: [{ id: model }] },
      ...answering({ prompt_tokens: 2_345_678, completion_tokens: 123_456 }),
    });
    scene.after(() => agent.stop());
    await scene.ask({ content: "hello", model });
    const headers = { authorization: scene.adminKey };
    await until(async () => (await scene.request("/admin/usage?by=model", { headers })).text.includes(model));
    await page.reload();
    await shows(rowOf(page, "Usage by model", "anthropic").getByText("CHF\u00a02,345,678.00"));
    const table = page.getByRole("group", { name: "Usage by model" });
    expect(await table.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
  });

  test("the charts' axes name only days of the chosen period", async () => {
    const scene = await startScene({ flags: ["--echo"] });
    await scene.ask({ content: "hello" });
    const page = await openDashboard(browser, scene);
    await goTo(page, "Usage");
    await shows(page.getByText("Requests per day", { exact: true }));
    await page.evaluate(RECORD_DRAWN);
    await page.getByLabel("Period").selectOption("7");
    const newest = Array.from({ length: 7 }, (_, days) =>
      new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10),
    );
    // Switching between light and dark mode redraws the charts.
    let isDark = false;
    await until(async () => {
      isDark = !isDark;
      await page.evaluate("void (drawn.length = 0)");
      await page.emulateMedia({ colorScheme: isDark ? "dark" : "light" });
      const days = (await page.evaluate<string[]>("drawn")).filter((text) => /^\d{4}-\d\d-\d\d$/.test(text));
      return days.length > 0 && days.every((day) => newest.includes(day));
    });
  });

  test("users see what is left of each of their limits", async () => {
    const scene = await startScene({ flags: ["--echo"] });
    const { body } = await scene.request<User>("/admin/users/add", {
      method: "POST",
      headers: { authorization: scene.adminKey },
      body: JSON.stringify({ requests_per_minute: 9, max_parallel: 3, models: ["echo"] }),
    });
    const page = await openDashboard(browser, scene, { key: body.token });
    await goTo(page, "Usage");
    const limits = page.getByRole("region", { name: "Your limits" });
    await shows(limits.getByText("9 of 9 left"), limits.getByText("up to 3"), limits.getByText("echo"));
    expect((await scene.ask({ content: "hello" }, { key: body.token })).status).toBe(200);
    await limits.getByRole("button", { name: "Refresh" }).click();
    await shows(limits.getByText("8 of 9 left"));
  });
});
