import { expect, test } from "bun:test";
import { hides, inBrowser, shows, soon } from "../support/browser.ts";
import { startInShell } from "../support/browser-commands.ts";
import { chooseIn, copy, goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { useScene } from "../support/scene.ts";
import { rejectionOf } from "../support/sdks.ts";
import { startFaultUpstream } from "../support/upstream/start.ts";
import { connectV2Agent, V2_HELLO } from "../support/v2-agent.ts";

const TABLE = "Connected agents";
const KEYS = "Agent keys";

inBrowser("dashboard: agents", (browser) => {
  const scene = useScene();

  test("an agent started with the line on the join page is shown there as connected, and in the list", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Agents");
    await page.getByRole("main").getByRole("link", { name: "Connect an agent" }).first().click();
    await page.getByRole("radio", { name: "Echo" }).check();
    await page.getByRole("radio", { name: "An existing key" }).check();
    await page.getByLabel("Agent key", { exact: true }).fill(scene.agentKey);
    const line = await copy(page, "the line");
    const status = page.getByRole("region", { name: "Connection status" });
    await shows(status.getByText("Waiting for the agent"));
    startInShell(line);
    await shows(status.getByText(/ is connected\.$/), status.getByText("✓"));
    await goTo(page, "Agents");
    await shows(page.getByRole("table", { name: TABLE }).getByRole("rowheader"));
  });

  test("an agent with a new key connects a model server on another machine, and answers", async () => {
    const upstream = await startFaultUpstream();
    const page = await openDashboard(browser, scene);
    await page.goto(`${scene.url}/dashboard#/agents/join`);
    await page.getByRole("radio", { name: "vLLM" }).check();
    await page.getByLabel(/^Address of the model server/).fill(`http://127.0.0.1:${upstream.port}`);
    await page.getByRole("radio", { name: "Another machine" }).check();
    const status = page.getByRole("region", { name: "Connection status" });
    await shows(status.getByText("Complete the steps above first."));
    await page.getByLabel("Name").fill("rack 7");
    await page.getByRole("button", { name: "Create key" }).click();
    const line = await copy(page, "the line");
    scene.server.keepSecret(line.match(/\/agents\/(\S+)/)?.[1] ?? line);
    startInShell(line);
    await shows(status.getByText(/ is connected\.$/));
    await status.getByRole("link", { name: "Try it" }).click();
    await chooseIn(page, "Model", "slow-words");
    await page.getByLabel("Your message").fill("one two three");
    await page.getByRole("button", { name: "Send" }).click();
    await shows(page.locator(".md").getByText("one two three"));
    await goTo(page, "Agents");
    await shows(page.getByRole("table", { name: TABLE }).getByText("key rack 7"));
  });

  test("the list of agents shows what an agent does, and why it gets no requests", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Agents");
    const models = ["big", "small", "tiny"].map((id) => ({ id, loaded: id === "small" }));
    const claim = { priority: -37, weight: 2.5, tags: ["home", "gpu"] };
    const hello = { ...V2_HELLO, name: "gpu box", version: "3.1", slots: 2, models, ...claim };
    const agent = await connectV2Agent(scene.url, { hello });
    scene.after(() => agent.stop());
    const row = rowOf(page, TABLE, "gpu box");
    await shows(row.getByText("3.1"), row.getByText("0 / 2"), row.getByText("and 1 more"));
    agent.say({ type: "pause" });
    await shows(row.getByText(/paused/i));
    await page.getByLabel("Search").fill("nothing of the kind");
    await shows(page.getByText("No agent matches the search."));
    await page.getByLabel("Search").fill("tiny");
    await row.getByRole("button", { name: "gpu box", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "gpu box" });
    await shows(dialog.getByText("127.0.0.1"), dialog.getByText("tiny"), dialog.getByText("small in memory"));
    await shows(dialog.getByText("-37"), dialog.getByText("2.5"), dialog.getByText("home, gpu"));
    agent.stop();
    await shows(dialog.getByText("This agent has disconnected."));
  });

  test("an agent that fails is shown with the reason, and its details have a button that lets it have requests again", async () => {
    const fail = { type: "fail", status: 503, error: { message: "no GPU" }, retryable: true } as const;
    const agent = await connectV2Agent(scene.url, {
      hello: { ...V2_HELLO, name: "hot box" },
      onAsk: ({ ask }, self) => self.say({ ...fail, ask, retry_after_ms: 60_000 }),
    });
    scene.after(() => agent.stop());
    expect((await scene.ask({ content: "hello", model: "m" })).status).toBe(502);
    const page = await openDashboard(browser, scene);
    await goTo(page, "Agents");
    const row = rowOf(page, TABLE, "hot box");
    await shows(row.getByText("Failing"), row.getByText("the upstream responded with status 503"));
    await row.getByRole("button", { name: "hot box", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "hot box" });
    await shows(dialog.getByText("1 failure in a row."));
    await dialog.getByRole("button", { name: "Allow requests now" }).click();
    await shows(page.getByText("hot box gets requests again."));
    await hides(dialog.getByText("1 failure in a row."));
    await dialog.getByRole("button", { name: "Close" }).last().click();
    await hides(row.getByText("Failing"));
  });

  test("draining a busy agent lets it finish its request, gives it no new one, and disconnects it", async () => {
    const agent = await connectV2Agent(scene.url, { hello: { ...V2_HELLO, name: "busy box" } });
    scene.after(() => agent.stop());
    const answer = scene.ask({ content: "hello", model: "m" });
    const { ask } = await soon(agent.next("ask"), "the ask");
    const page = await openDashboard(browser, scene);
    await goTo(page, "Agents");
    await page.getByRole("button", { name: "Disconnect busy box" }).click();
    const dialog = page.getByRole("dialog");
    await shows(dialog.getByText("The agent has 1 running request."));
    await dialog.getByRole("button", { name: "Drain" }).click();
    await shows(page.getByText("busy box is draining."));
    agent.say({
      type: "done",
      ask,
      status: 200,
      body: JSON.stringify({ choices: [{ message: { content: "bye" } }] }),
    });
    expect((await answer).body.content).toBe("bye");
    expect((await soon(agent.ended, "the end")).code).toBeGreaterThanOrEqual(4000);
    await hides(rowOf(page, TABLE, "busy box"));
  });

  test("disconnecting an idle agent asks for confirmation", async () => {
    const agent = await connectV2Agent(scene.url);
    scene.after(() => agent.stop());
    const page = await openDashboard(browser, scene);
    await goTo(page, "Agents");
    await page.getByRole("button", { name: "Disconnect test agent" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await shows(rowOf(page, TABLE, "test agent"));
    await page.getByRole("button", { name: "test agent", exact: true }).click();
    await page.getByRole("button", { name: "Disconnect …" }).click();
    const dialog = page.getByRole("dialog", { name: "Disconnect test agent?" });
    await dialog.getByRole("button", { name: "Disconnect" }).click();
    expect((await soon(agent.ended, "the end")).code).toBeGreaterThanOrEqual(4500);
    await shows(page.getByText("No agent is connected."));
  });

  test("a press beside a long name that the keyboard has just shown whole hits what it was on", async () => {
    const name = "a-name-that-has-no-place-to-break-it-".repeat(4);
    const agent = await connectV2Agent(scene.url, { hello: { ...V2_HELLO, name } });
    scene.after(() => agent.stop());
    const page = await openDashboard(browser, scene);
    await goTo(page, "Agents");
    await page.getByRole("button", { name, exact: true }).click();
    await shows(page.getByRole("dialog"));
    // The focus goes back to the name, as if the keyboard had moved it there.
    await page.keyboard.press("Escape");
    await hides(page.getByRole("dialog"));
    await page.getByRole("button", { name: `Disconnect ${name}`, exact: true }).click();
    await shows(page.getByRole("dialog").getByRole("heading", { name: /^Disconnect / }));
    expect(await page.locator(".held").count()).toBe(0);
  });

  test("a new agent key is shown once and admits an agent, which is disconnected when the key is revoked", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Agents");
    await page.getByRole("button", { name: "Create a key" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("gpu key");
    await dialog.getByLabel("Models", { exact: true }).fill("m, n");
    await dialog.getByLabel("Priority").fill("5");
    await dialog.getByLabel("Tags").fill("home, gpu");
    await dialog.getByRole("button", { name: "Create key" }).click();
    await shows(dialog.getByText("It is shown only once"));
    const key = await copy(page, "the key");
    scene.server.keepSecret(key);
    await dialog.getByRole("button", { name: "Done" }).click();
    await hides(dialog);
    expect(await page.content()).not.toContain(key);

    const agent = await connectV2Agent(scene.url, { key });
    scene.after(() => agent.stop());
    const row = rowOf(page, KEYS, "gpu key");
    await shows(row.getByText("m, n"), row.getByRole("cell", { name: "1", exact: true }));
    await shows(rowOf(page, TABLE, "test agent").getByText("key gpu key"));

    await shows(row.getByText("priority 5, tags home gpu"));
    await page.getByRole("button", { name: "Edit key gpu key" }).click();
    await dialog.getByLabel("Priority").fill("");
    await dialog.getByLabel("Weight").fill("2.5");
    await dialog.getByLabel("Owner").fill("nobody");
    await dialog.getByRole("button", { name: "Save" }).click();
    await shows(dialog.getByText("No user has the name or the ID “nobody”."));
    await dialog.getByLabel("Owner").fill("");
    await dialog.getByRole("button", { name: "Save" }).click();
    await hides(dialog);
    await shows(row.getByText("weight 2.5, tags home gpu"));

    await page.getByRole("button", { name: "Revoke key gpu key" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await soon(agent.ended, "the end");
    await hides(rowOf(page, TABLE, "test agent"));
    await page.getByRole("checkbox", { name: /revoked key/ }).check();
    await shows(row.getByText(/^Revoked/));
    expect(await rejectionOf(connectV2Agent(scene.url, { key }))).toBeInstanceOf(Error);
  });
});
