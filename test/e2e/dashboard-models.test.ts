import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { type Scene, startScene } from "../support/scene.ts";
import { until } from "../support/until.ts";
import { connectV2Agent, streamPieces, V2_HELLO, type V2AgentOptions } from "../support/v2-agent.ts";

const MODELS = "Models";
const ALIASES = "Aliases";
const FALLBACKS = "Fallbacks";
const FAIL = { type: "fail", status: 503, error: { message: "no GPU" }, retryable: true } as const;

const answers: V2AgentOptions["onAsk"] = ({ ask }, agent) =>
  streamPieces(agent, ask, ["all ", "is ", "well"]);
const fails: V2AgentOptions["onAsk"] = ({ ask }, agent) =>
  agent.say({ ...FAIL, ask, retry_after_ms: 60_000 });

async function connect(scene: Scene, name: string, models: object[], onAsk = answers): Promise<void> {
  const agent = await connectV2Agent(scene.url, {
    hello: { ...V2_HELLO, name, models },
    ...(onAsk && { onAsk }),
  });
  scene.after(() => agent.stop());
}

const chat = (scene: Scene, model: string) =>
  scene.request("/v1/chat/completions", {
    method: "POST",
    headers: { authorization: `Bearer ${scene.adminKey}` },
    body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "hi" }] }),
  });

/** Changes a setting as another administrator would. */
const patch = (scene: Scene, body: object) =>
  scene.request("/admin/settings", {
    method: "PATCH",
    headers: { authorization: scene.adminKey },
    body: JSON.stringify(body),
  });

async function addAlias(page: Page, name: string, model: string): Promise<void> {
  await page.getByRole("button", { name: "Add an alias" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Alias").fill(name);
  await dialog.getByLabel("Model").fill(model);
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await hides(dialog);
}

inBrowser("dashboard: models", (browser) => {
  test("the page shows each model with its agents, requests and failures, and the search and filters are in the address", async () => {
    const scene = await startScene();
    const small = {
      id: "org/small:7b",
      loaded: true,
      context_length: 8192,
      capabilities: ["completion", "vision"],
    };
    await connect(scene, "gpu box", [small]);
    await connect(scene, "hot box", [{ id: "hot" }], fails);
    for (const model of [small.id, small.id, "hot", "never-heard-of"]) await chat(scene, model);
    const page = await openDashboard(browser, scene);
    await goTo(page, "Models");
    const row = rowOf(page, MODELS, small.id);
    await shows(row.getByText("Ready", { exact: true }), row.getByText("8,192 tokens · image"));
    await shows(row.getByText("1 ready"), row.getByText("in memory at 1"), row.getByText("67%"));
    const hot = rowOf(page, MODELS, /^hot/);
    await shows(hot.getByText("Failing"), hot.getByText("hot box: the upstream responded with status 503"));
    const missing = rowOf(page, MODELS, "never-heard-of");
    await shows(missing.getByText("Not offered"), missing.getByText("1 refused"));
    await shows(page.getByText("2 models are offered. 1 more was asked for, and no agent offers it."));

    await page.getByLabel("Show").selectOption("problems");
    await hides(row);
    await shows(hot, missing);
    await page.getByLabel("Search").fill("heard");
    await hides(hot);
    expect(new URL(page.url()).hash).toBe("#/models?show=problems&search=heard");
    await page.reload();
    await shows(missing);
    await hides(hot);
    await page.getByLabel("Search").fill("nothing of the kind");
    await shows(page.getByText("No model matches."));
  });

  test("a model's details show all of its agents and its failures, and lead to its requests, an agent and Try it", async () => {
    const scene = await startScene({ flags: ["--fallback", "hot=cool"] });
    await connect(scene, "hot box", [{ id: "hot" }], fails);
    await connect(scene, "cool box", [{ id: "cool" }, { id: "org/a b" }]);
    expect((await chat(scene, "org/a b")).status).toBe(200);
    const page = await openDashboard(browser, scene);
    await goTo(page, "Models");
    await page.getByRole("link", { name: "org/a b" }).click();
    await shows(page.getByRole("heading", { level: 1, name: "org/a b" }), page.getByText("1 of 1"));
    await shows(page.getByText("Time to first byte"));
    await page.getByRole("link", { name: "cool box", exact: true }).click();
    await shows(rowOf(page, "Connected agents", "cool box"));
    await hides(rowOf(page, "Connected agents", "hot box"));
    await page.goBack();
    await page.getByRole("main").getByRole("link", { name: "Try it" }).click();
    await shows(page.getByRole("heading", { level: 1, name: "Try it" }));
    await until(async () => (await page.getByLabel("Model", { exact: true }).inputValue()) === "org/a b");

    browser.allow(/status of 404/);
    await page.goto(`${scene.url}/dashboard#/models/gone`);
    await shows(page.getByText("This model is not here."));
    await page.goto(`${scene.url}/dashboard#/models/hot`);
    await shows(page.getByRole("list").getByText("cool"));
    // Otherwise the fallback would answer.
    await page.getByRole("button", { name: "Edit fallbacks" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Remove cool" }).click();
    await dialog.getByRole("button", { name: "Save" }).click();
    await hides(dialog);
    await chat(scene, "hot");
    await page.reload();
    const failures = page.getByRole("table", { name: "Last failures" });
    await shows(failures.getByText("agent failed"), failures.getByText("hot box"));
    await failures.getByRole("link").first().click();
    await shows(page.getByRole("dialog").getByText("agent_failed", { exact: true }));
  });

  test("an alias that is added, edited and removed on the page counts for the next request, and stands in the audit log", async () => {
    const scene = await startScene({ flags: ["--model-alias", "old=m"] });
    await connect(scene, "box", [{ id: "m" }, { id: "n" }]);
    const page = await openDashboard(browser, scene);
    await goTo(page, "Models");
    await shows(page.getByText("Set by --model-alias."));
    await addAlias(page, "fast", "m");
    const row = rowOf(page, ALIASES, "fast");
    await shows(row, rowOf(page, ALIASES, "old"), page.getByText(/^Set here, last on/));
    await shows(rowOf(page, MODELS, /^m/).getByText("alias fast, old"));
    expect((await chat(scene, "fast")).status).toBe(200);

    await row.getByRole("button", { name: "Edit alias fast" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Model").fill("nobody-has-it");
    await shows(dialog.getByText("No agent offers this model now. You can save it all the same."));
    await dialog.getByLabel("Alias").fill("n");
    await shows(dialog.getByText("A model has this name."));
    await dialog.getByLabel("Alias").fill("old");
    await dialog.getByRole("button", { name: "Save" }).click();
    await shows(dialog.getByText("There is an alias with this name."));
    await dialog.getByLabel("Alias").fill("n");
    await dialog.getByRole("button", { name: "Save" }).click();
    await hides(dialog);
    const hiding = rowOf(page, ALIASES, "nobody-has-it");
    await shows(hiding.getByText("no agent offers it"), hiding.getByText("hides a model"));
    expect((await chat(scene, "n")).status).toBe(404);

    await hiding.getByRole("button", { name: "Remove alias n" }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await hides(hiding);
    expect((await chat(scene, "n")).status).toBe(200);

    const source = page.getByRole("region", { name: ALIASES });
    await source.getByRole("button", { name: "Back to the flags" }).click();
    await shows(dialog.getByText("The flags have 1 alias."));
    await dialog.getByRole("button", { name: "Use the flags" }).click();
    await shows(page.getByText("Set by --model-alias."), rowOf(page, ALIASES, "old"));
    await goTo(page, "Audit log");
    const changes = page.getByRole("table").getByText("settings.change");
    await shows(changes.first());
    expect(await changes.count()).toBe(4);
  });

  test("if somebody else has changed the settings, nothing is saved, and what was typed can be saved on top of theirs", async () => {
    const scene = await startScene();
    await connect(scene, "box", [{ id: "m" }, { id: "n" }]);
    await patch(scene, { modelAliases: { fast: "m" } });
    const page = await openDashboard(browser, scene);
    await goTo(page, "Models");
    await page.getByRole("button", { name: "Edit alias fast" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Model").fill("typed");
    await patch(scene, { modelAliases: { fast: "n", theirs: "m" } });
    browser.allow(/status of 412/);
    await dialog.getByRole("button", { name: "Save" }).click();
    await shows(dialog.getByText(/^Somebody else has changed the settings meanwhile/));
    await shows(dialog.getByText("it leads to n now"));
    expect(await dialog.getByLabel("Model").inputValue()).toBe("typed");
    await dialog.getByRole("button", { name: "Save" }).click();
    await hides(dialog);
    await shows(rowOf(page, ALIASES, "theirs"), rowOf(page, ALIASES, "fast").getByText("typed"));
  });

  test("a model is chosen from the list of a dialog by keyboard, and Escape closes the list only", async () => {
    const scene = await startScene();
    await connect(scene, "box", [{ id: "m" }, { id: "n" }]);
    const page = await openDashboard(browser, scene);
    await goTo(page, "Models");
    await page.getByRole("button", { name: "Add fallbacks" }).click();
    const dialog = page.getByRole("dialog");
    const field = dialog.getByRole("combobox", { name: "Model", exact: true });
    await page.keyboard.press("ArrowDown");
    await shows(dialog.getByRole("option", { name: "n" }));
    await page.keyboard.press("Escape");
    await hides(dialog.getByRole("listbox"));
    await field.fill("N");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await hides(dialog.getByRole("listbox"));
    expect(await field.inputValue()).toBe("n");
    await shows(dialog);
  });

  test("fallbacks are ordered by the keyboard, and answer in this order", async () => {
    const scene = await startScene();
    await connect(scene, "box", [{ id: "m" }, { id: "n" }]);
    await connect(scene, "hot box", [{ id: "hot" }], fails);
    const page = await openDashboard(browser, scene);
    await goTo(page, "Models");
    await page.getByRole("button", { name: "Add fallbacks" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Model", { exact: true }).fill("hot");
    for (const model of ["gone", "m"]) {
      await dialog.getByLabel("Another model").fill(model);
      await page.keyboard.press("Enter");
    }
    await dialog.getByLabel("Another model").fill("n");
    await dialog.getByRole("button", { name: "Move m up" }).focus();
    // Where a button can no longer be pressed, the other one has the focus.
    for (const focused of ["Move m down", "Move m up"]) {
      await page.keyboard.press("Enter");
      await shows(dialog.locator(`button[aria-label="${focused}"]:focus`));
    }
    await dialog.getByRole("button", { name: "Save" }).click();
    await hides(dialog);
    const { body } = await scene.request<{ settings: Record<string, { current: unknown }> }>(
      "/admin/settings",
      {
        headers: { authorization: scene.adminKey },
      },
    );
    expect(body.settings["fallbacks"]?.current).toEqual({ hot: ["gone", "m", "n"] });
    await shows(rowOf(page, FALLBACKS, "hot").getByText("(not offered now)"));
    expect((await chat(scene, "hot")).status).toBe(200);
    await page.getByRole("button", { name: "Remove the fallbacks of hot" }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await shows(page.getByText("There are no fallbacks."));
  });
});
