import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { goTo, openDashboard } from "../support/browser-dashboard.ts";
import { startExecutable } from "../support/executable.ts";
import { useScene } from "../support/scene.ts";
import { tempFolder } from "../support/store.ts";
import { connectV2Agent, type V2Agent } from "../support/v2-agent.ts";

const figure = (page: Page, label: string) =>
  page.getByRole("main").locator("dl > div").filter({ hasText: label }).getByRole("definition");

const shown = (page: Page, label: string, text: string) => shows(figure(page, label).getByText(text));

const isLive = (page: Page) => page.getByRole("status").getByText("Live", { exact: true });

const SECRET_WORDS = "words that nobody else may read";

/** Connects an agent that answers its requests when `finish` is called. */
async function slowAgent(url: string): Promise<{ agent: V2Agent; finish(): void }> {
  const asks: string[] = [];
  const agent = await connectV2Agent(url, { onAsk: ({ ask }) => asks.push(ask) });
  return {
    agent,
    finish() {
      for (const ask of asks.splice(0)) {
        const message = { role: "assistant", content: "fine" };
        const body = { choices: [{ index: 0, message, finish_reason: "stop" }] };
        agent.say({ type: "done", ask, status: 200, body: JSON.stringify(body) });
      }
    },
  };
}

inBrowser("dashboard: overview", (browser) => {
  const scene = useScene();

  test("the overview shows live how an agent connects, works and disconnects, but no content of requests", async () => {
    const page = await openDashboard(browser, scene);
    await shows(isLive(page), page.getByText("No agent is connected yet."));
    const { agent, finish } = await slowAgent(scene.url);
    scene.after(() => agent.stop());
    await hides(page.getByText("No agent is connected yet."));
    await shown(page, "Agents connected", "1");
    await shown(page, "Slots in use", "0 / 8");

    const { user_id, token } = await scene.addUser();
    const body = { model: "m", messages: [{ role: "user", content: SECRET_WORDS }] };
    const headers = { authorization: `Bearer ${token}` };
    const answer = scene.request("/v1/chat/completions", {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    await shown(page, "Slots in use", "1 / 8");
    finish();
    expect((await answer).status).toBe(200);
    await shown(page, "Slots in use", "0 / 8");
    const row = page.getByRole("table", { name: "Recent requests" }).getByRole("row").nth(1);
    await shows(row.getByRole("cell", { name: "ok", exact: true }));
    // A narrower window leaves the endpoint out.
    await page.setViewportSize({ width: 1440, height: 900 });
    const cells = await row.getByRole("cell").allInnerTexts();
    expect(cells).toEqual(expect.arrayContaining(["m", "test agent", "chat/completions"]));
    expect(await row.getByRole("link").first().getAttribute("href")).toContain("#/requests?open=req_");
    expect(await row.getByRole("link").last().getAttribute("href")).toContain(user_id);
    const text = await page.content();
    expect(text).not.toContain(SECRET_WORDS);

    agent.stop();
    await shows(page.getByText("No agent is connected yet."));
    await shown(page, "Agents connected", "0");
  });

  test("two tabs are live at the same time, and a tab that returns to the overview is live again", async () => {
    const page = await openDashboard(browser, scene);
    const tab = await page.context().newPage();
    await tab.goto(`${scene.url}/dashboard`);
    await shows(isLive(page), isLive(tab));
    await goTo(page, "Settings");
    const agent = await connectV2Agent(scene.url);
    scene.after(() => agent.stop());
    await shown(tab, "Agents connected", "1");
    await goTo(page, "Overview");
    await shows(isLive(page));
    await shown(page, "Agents connected", "1");
  });

  test("the overview says that the server is gone, and is live again after a restart without a sign-in", async () => {
    const adminKey = `admin-${crypto.randomUUID()}`;
    const data = tempFolder();
    const first = await startExecutable({ args: ["0", adminKey], data });
    const page = await openDashboard(browser, { url: first.url, adminKey });
    await shows(isLive(page));
    browser.allow(/WebSocket connection|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE/);
    first.kill();
    await first.exited;
    await shows(page.getByText("Not live, reconnecting"));
    await startExecutable({ args: [String(first.port), adminKey], data });
    await shows(isLive(page));
  });

  test("the overview asks for a sign-in after a restart with another admin key, and is live again then", async () => {
    const [before, after] = [`admin-${crypto.randomUUID()}`, `admin-${crypto.randomUUID()}`];
    const data = tempFolder();
    const first = await startExecutable({ args: ["0", before], data });
    const page = await openDashboard(browser, { url: first.url, adminKey: before });
    await shows(isLive(page));
    browser.allow(/WebSocket connection|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|status of 401/);
    first.kill();
    await first.exited;
    await startExecutable({ args: [String(first.port), after], data });
    await shows(page.getByText("Your session has ended. Sign in again."));
    await page.getByLabel("Key", { exact: true }).fill(after);
    await page.getByRole("button", { name: "Sign in" }).click();
    await shows(isLive(page));
  });
});
