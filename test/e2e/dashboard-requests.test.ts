import { expect, test } from "bun:test";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { readCsv } from "../support/read-csv.ts";
import { type Scene, startScene } from "../support/scene.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../support/v2-agent.ts";

const LIST = "Requests, newest first";

/** A server with an agent that answers for `good`, and one that fails for `broken`. */
async function startFailing(): Promise<{ scene: Scene; chat(model: string, key?: string): Promise<void> }> {
  const scene = await startScene();
  const good = await connectV2Agent(scene.url, {
    hello: { ...V2_HELLO, name: "good box", models: [{ id: "good" }] },
    onAsk: ({ ask }, agent) => streamPieces(agent, ask, ["all is well"]),
  });
  const broken = await connectV2Agent(scene.url, {
    hello: { ...V2_HELLO, name: "broken box", models: [{ id: "broken" }] },
    onAsk({ ask }, agent) {
      const error = { message: "CUDA out of memory" };
      agent.say({ type: "fail", ask, status: 500, error, retryable: true });
    },
  });
  scene.after(() => Promise.all([good.stop(), broken.stop()]));
  const chat = async (model: string, key = scene.adminKey) => {
    const body = JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "a secret" }] });
    const headers = { authorization: `Bearer ${key}` };
    await (await fetch(`${scene.url}/v1/chat/completions`, { method: "POST", headers, body })).text();
  };
  return { scene, chat };
}

inBrowser("dashboard: requests", (browser) => {
  test("a failed request is found by its filters, which are in the address, and tells why it failed", async () => {
    const { scene, chat } = await startFailing();
    await chat("good");
    await chat("broken");
    const page = await openDashboard(browser, scene);
    await goTo(page, "Requests");
    await shows(rowOf(page, LIST, "good box"), rowOf(page, LIST, "broken box"));
    await page.getByLabel("Result", { exact: true }).selectOption("failed");
    await hides(rowOf(page, LIST, "good box"));
    await page.getByLabel("Model", { exact: true }).fill("broken");
    await page.waitForURL(/outcome=failed.*model=broken|model=broken.*outcome=failed/);
    await page.reload();
    await rowOf(page, LIST, "broken box")
      .getByRole("link", { name: /details/ })
      .click();
    const panel = page.getByRole("dialog", { name: "Request" });
    await shows(
      panel.getByText("The agent could not answer: CUDA out of memory").first(),
      panel.getByRole("heading", { name: "Failed tries" }),
      panel.getByText("chat/completions"),
    );
    expect(await panel.textContent()).not.toContain("a secret");
    await checkAccessibility(page);
    const address = page.url();
    await page.keyboard.press("Escape");
    await hides(panel);
    await page.goto("about:blank");
    await page.goto(address);
    await shows(page.getByRole("dialog", { name: "Request" }).getByText("broken box").first());
  });

  test("filters that are typed one right after the other all count", async () => {
    const scene = await startScene();
    const page = await openDashboard(browser, scene);
    await goTo(page, "Requests");
    await page.getByLabel("Model", { exact: true }).fill("broken");
    await page.getByLabel("Agent", { exact: true }).fill("box");
    await page.waitForURL(/agent=box/);
    expect(page.url()).toContain("model=broken");
  });

  test("a filter that was typed just before its page was left does not lead back to it", async () => {
    const scene = await startScene();
    const page = await openDashboard(browser, scene);
    await goTo(page, "Users");
    await goTo(page, "Requests");
    await page.clock.install();
    await page.getByLabel("Model", { exact: true }).fill("good");
    await goTo(page, "Users");
    await page.clock.runFor(2_000);
    expect(new URL(page.url()).hash).toBe("#/users");
  });

  test("a filter that the server refuses shows no rows of another one, and a cut name is whole on hover", async () => {
    const { scene } = await startFailing();
    const model = "org/a-model:70b";
    const agent = await connectV2Agent(scene.url, {
      hello: { ...V2_HELLO, models: [{ id: model }] },
      onAsk: ({ ask }, self) => streamPieces(self, ask, ["fine"]),
    });
    scene.after(() => agent.stop());
    await scene.ask({ content: "hi", model, stream: true });
    const page = await openDashboard(browser, scene);
    await goTo(page, "Requests");
    const row = rowOf(page, LIST, model);
    await shows(row);
    expect(await row.getByText(model).getAttribute("title")).toBe(model);
    browser.allow(/status of 400/);
    await page.goto(`${scene.url}/dashboard#/requests?from=banana`);
    await shows(page.getByText("`from` is not valid"));
    await hides(row);
    await page.goto(`${scene.url}/dashboard#/requests`);
    await shows(row);
  });

  test("new requests appear by themselves until the list is paused, and again after it", async () => {
    const { scene, chat } = await startFailing();
    const page = await openDashboard(browser, scene);
    await goTo(page, "Requests");
    await shows(page.getByText("No request has ended yet."));
    await chat("good");
    await shows(rowOf(page, LIST, "good box"));
    await page.getByRole("button", { name: "Pause live updates" }).click();
    await chat("broken");
    await page.waitForTimeout(3_000);
    expect(await rowOf(page, LIST, "broken box").count()).toBe(0);
    await page.getByRole("button", { name: "Resume live updates" }).click();
    await shows(rowOf(page, LIST, "broken box"));
  });

  test("rows stay under the pointer and the focus, what is new is counted, and a click shows it", async () => {
    const { scene, chat } = await startFailing();
    const page = await openDashboard(browser, scene);
    await chat("good");
    await goTo(page, "Requests");
    const row = rowOf(page, LIST, "good box");
    await shows(row);
    await row.hover();
    const before = await row.boundingBox();
    await chat("broken");
    await chat("broken");
    const news = page.getByRole("button", { name: "2 new – show" });
    await shows(news);
    expect(await row.boundingBox()).toEqual(before);
    expect(await rowOf(page, LIST, "broken box").count()).toBe(0);
    await news.click();
    await shows(rowOf(page, LIST, "broken box").first());
    await hides(news);
    await page.mouse.move(0, 0);
    await row.getByRole("link", { name: /details/ }).focus();
    await chat("broken");
    await shows(page.getByRole("button", { name: "1 new – show" }));
    expect(await rowOf(page, LIST, "broken box").count()).toBe(2);
    await row.getByRole("link", { name: /details/ }).blur();
    await hides(page.getByRole("button", { name: /new – show/ }));
    expect(await rowOf(page, LIST, "broken box").count()).toBe(3);
  });

  test("numbers of users, of the usage and of an agent's failures lead to their requests", async () => {
    const { scene, chat } = await startFailing();
    const { token, user_id } = await scene.addUser();
    await chat("good", token);
    for (let count = 0; count < 3; count++) await chat("broken", token);
    const page = await openDashboard(browser, scene);
    await goTo(page, "Users");
    await page.getByRole("table", { name: "Users" }).getByRole("link", { name: "4", exact: true }).click();
    await shows(rowOf(page, LIST, "good box"));
    expect(page.url()).toContain(`user=${user_id}`);
    expect(page.url()).toContain("period=30d");
    await goTo(page, "Usage");
    await page.getByRole("link", { name: "3", exact: true }).first().click();
    await shows(rowOf(page, LIST, "broken box").first());
    await hides(rowOf(page, LIST, "good box"));
    await goTo(page, "Agents");
    await page.getByRole("button", { name: "broken box" }).first().click();
    await page.getByRole("link", { name: "3 failures" }).click();
    await shows(rowOf(page, LIST, "broken box").first());
    for (const part of ["model=broken", "outcome=failed", "agent="]) expect(page.url()).toContain(part);
  });

  test("the CSV of a list has all that the filters choose", async () => {
    const { scene, chat } = await startFailing();
    await chat("good");
    await chat("broken");
    const page = await openDashboard(browser, scene);
    await goTo(page, "Requests");
    await page.getByLabel("Result", { exact: true }).selectOption("failed");
    await hides(rowOf(page, LIST, "good box"));
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "CSV" }).click(),
    ]);
    const rows = readCsv(await Bun.file(await download.path()).text());
    expect(rows).toHaveLength(2);
    expect(rows[1]).toContain("broken box");
  });

  test("numbers on other pages lead to their requests, and a user sees their own without agents", async () => {
    const { scene, chat } = await startFailing();
    const { token } = await scene.addUser();
    await chat("good", token);
    await chat("broken");
    const page = await openDashboard(browser, scene);
    await goTo(page, "Usage");
    await page.getByRole("radio", { name: "By agent" }).check();
    const agents = page.getByRole("table", { name: "Usage by agent" }).getByRole("row");
    await agents
      .filter({ hasText: "100%" })
      .or(agents.nth(1))
      .first()
      .getByRole("link", { name: "1" })
      .first()
      .click();
    await shows(page.getByRole("heading", { level: 1, name: "Requests" }));
    await shows(page.getByRole("table", { name: LIST }));
    expect(await page.getByRole("table", { name: LIST }).getByRole("row").count()).toBe(2);

    const own = await openDashboard(browser, scene, { key: token });
    await goTo(own, "Requests");
    await shows(rowOf(own, LIST, "good"));
    expect(await own.getByRole("table", { name: LIST }).getByRole("row").count()).toBe(2);
    expect(await own.getByText("good box").count()).toBe(0);
  });
});

inBrowser("dashboard: traffic", (browser) => {
  test("traffic is compared by agent and model, and leads from a total to one of them and to its requests", async () => {
    const { scene, chat } = await startFailing();
    for (let count = 0; count < 3; count++) await chat("good");
    await chat("broken");
    const page = await openDashboard(browser, scene);
    await goTo(page, "Traffic");
    await shows(
      page.getByText("Requests per minute", { exact: true }),
      page.getByText("25% of all requests"),
    );
    await page.getByLabel("Period").selectOption("7d");
    await shows(page.getByText("Requests per hour", { exact: true }));
    await page.getByRole("radio", { name: "By model" }).check();
    const model = rowOf(page, "Traffic by model", "broken");
    await shows(model.getByText("100%"));
    await model.getByRole("link", { name: "broken" }).click();
    await shows(page.getByText("100% of all requests"));
    await checkAccessibility(page);
    // The code is shown on hover over the legend of the chart, and over the reason below it.
    for (const words of [
      page.getByRole("figure").getByRole("listitem").filter({ hasText: "agent failed" }),
      page.getByRole("link", { name: "agent failed" }),
    ])
      expect(await words.getAttribute("title")).toBe("agent_failed");
    await page.getByRole("link", { name: "agent failed" }).click();
    await shows(rowOf(page, LIST, "broken box"));
    expect(page.url()).toContain("period=7d");
  });

  test("filters of the traffic combine, and refused requests are counted by reason beside those that failed", async () => {
    const { scene, chat } = await startFailing();
    const { token, user_id } = await scene.addUser();
    await chat("good", token);
    await chat("good");
    await chat("broken", token);
    await chat("nonsense", token);
    await chat("nonsense", token);
    const page = await openDashboard(browser, scene);
    await goTo(page, "Traffic");
    const refusals = page.getByRole("region", { name: "Why requests were refused" });
    await shows(refusals.getByText("2 unknown model"), page.getByText("not among the requests"));
    await checkAccessibility(page);
    await refusals.getByRole("link", { name: "See whose they are" }).click();
    const ann = rowOf(page, "Traffic by user", user_id);
    await shows(ann.getByText("(2 unknown model)"));
    await ann.getByRole("link", { name: user_id }).click();
    await shows(page.locator(".chip"));
    await page.getByRole("radio", { name: "By model" }).check();
    const good = rowOf(page, "Traffic by model", "good");
    await shows(good.getByRole("link", { name: "1", exact: true }));
    await good.getByRole("link", { name: "good" }).click();
    await shows(page.getByText("0% of all requests"), page.getByText("not known with these filters"));
    expect(await page.locator(".chip").count()).toBe(2);
    await page.getByRole("radio", { name: "By agent" }).check();
    await shows(rowOf(page, "Traffic by agent", "good box"));
    await hides(rowOf(page, "Traffic by agent", "broken box"));
    await page.locator(".tile").getByRole("link", { name: "1", exact: true }).click();
    await shows(rowOf(page, LIST, "good box"));
    expect(await page.getByRole("table", { name: LIST }).getByRole("row").count()).toBe(2);
  });
});
