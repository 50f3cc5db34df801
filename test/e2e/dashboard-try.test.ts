import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { inBrowser, shows, soon } from "../support/browser.ts";
import { checkPageEnd } from "../support/browser-accessibility.ts";
import { button, goTo, openDashboard } from "../support/browser-dashboard.ts";
import { message, useTry } from "../support/browser-try.ts";
import { useScene } from "../support/scene.ts";
import { chunk, connectV2Agent, messagesOf, streamPieces } from "../support/v2-agent.ts";

async function send(page: Page, text: string): Promise<void> {
  await message(page).fill(text);
  await button(page, "Send").click();
}

inBrowser("dashboard: try it", (browser) => {
  const scene = useScene();

  const openTry = useTry(browser, scene);

  test("an answer is shown as it arrives, and stopping it cancels the request at the agent", async () => {
    const { page, agent } = await openTry();
    await send(page, "Tell me a story");
    const { ask } = await soon(agent.next("ask"), "the ask");
    await shows(page.getByText("Waiting …"));
    agent.say({ type: "accept", ask });
    agent.say({ type: "delta", ask, data: chunk("Once upon ") });
    await shows(page.getByText("Once upon"), page.getByText("Answering …"));
    agent.say({ type: "delta", ask, data: chunk("a time") });
    await shows(page.getByText("Once upon a time"));
    await button(page, "Stop").click();
    expect((await soon(agent.next("cancel"), "the cancel")).ask).toBe(ask);
    await shows(page.getByText("Stopped", { exact: true }));
    await shows(page.locator("textarea:focus"));
  });

  test("the models are listed as people sort them", async () => {
    const names = ["gpu-10", "gpu-2", "Gpu-3", "alpha"];
    const { page } = await openTry(() => {}, { models: names.map((id) => ({ id })) });
    await page.getByRole("combobox", { name: "Model", exact: true }).click();
    await shows(page.getByRole("option").nth(3));
    expect(await page.getByRole("option").allTextContents()).toEqual(["alpha", "gpu-2", "Gpu-3", "gpu-10"]);
  });

  test("stopping an answer leaves the next message in its field, and Enter sends it only then", async () => {
    const { page, agent } = await openTry();
    await send(page, "first");
    const { ask } = await soon(agent.next("ask"), "the ask");
    await message(page).fill("second");
    await message(page).press("Enter");
    await message(page).press("Enter");
    await button(page, "Stop").click();
    expect((await soon(agent.next("cancel"), "the cancel")).ask).toBe(ask);
    await shows(button(page, "Try again"), button(page, "Send"));
    expect(await message(page).inputValue()).toBe("second");
    expect(await page.locator(".turn").count()).toBe(1);
    await message(page).press("Enter");
    expect(messagesOf(await soon(agent.next("ask"), "the second ask")).at(-1)?.content).toBe("second");
  });

  test("a long conversation scrolls in its own box and does not lengthen the page", async () => {
    const { page } = await openTry(({ ask }, agent) => streamPieces(agent, ask, ["line\n".repeat(60)]));
    for (let number = 1; number <= 4; number++) {
      await send(page, `question ${number}`);
      await shows(page.getByRole("heading", { level: 2, name: `Question ${number}`, exact: true }));
      await shows(button(page, "Try again"));
    }
    await checkPageEnd(page);
  });

  test("each request contains the whole conversation until a new one is started", async () => {
    const seen: { role: string; content: string }[][] = [];
    const { page } = await openTry((ask, agent) => {
      seen.push(messagesOf(ask));
      streamPieces(agent, ask.ask, ["the ", `answer ${seen.length}`]);
    });
    await send(page, "first");
    await shows(page.getByText("the answer 1", { exact: true }).last());
    await goTo(page, "Usage");
    await goTo(page, "Try it");
    await send(page, "second");
    await shows(page.getByText("the answer 2", { exact: true }).last());
    await button(page, "New conversation").click();
    await message(page).fill("third");
    await message(page).press("Control+Enter");
    await shows(page.getByText("the answer 3", { exact: true }).last());
    const user = (content: string) => ({ role: "user", content });
    const assistant = (content: string) => ({ role: "assistant", content });
    expect(seen).toEqual([
      [user("first")],
      [user("first"), assistant("the answer 1"), user("second")],
      [user("third")],
    ]);
  });

  test("an answer is shown as text even if it looks like HTML", async () => {
    const evil = `<img src=x onerror="document.title='pwned'"><script>alert(1)</script>[a](javascript:alert(2))`;
    const { page } = await openTry((ask, agent) => streamPieces(agent, ask.ask, [evil]));
    await send(page, evil);
    await shows(page.getByText(evil).nth(1));
    expect(await page.locator("main img, main script, main a[href^=javascript]").count()).toBe(0);
    expect(await page.title()).not.toBe("pwned");
  });

  test("a failed request shows its error, and can be sent again", async () => {
    let isBroken = true;
    const { page } = await openTry((ask, agent) => {
      const error = { message: "The model is on fire." };
      if (isBroken) agent.say({ type: "fail", ask: ask.ask, status: 400, error, retryable: false });
      else streamPieces(agent, ask.ask, ["all is well"]);
    });
    browser.allow(/status of 400.*chat\/completions/);
    await send(page, "hello");
    await shows(page.getByRole("alert").getByText("The model is on fire."));
    isBroken = false;
    await button(page, "Try again").click();
    await shows(page.getByText("all is well", { exact: true }).last());
  });

  test("without an agent the page says so, and checks again on request", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Try it");
    await shows(page.getByText("No models are available."));
    const agent = await connectV2Agent(scene.url);
    scene.after(() => agent.stop());
    await button(page, "Check again").click();
    await shows(message(page));
    expect(await page.getByLabel("Model", { exact: true }).inputValue()).toBe("m");
  });
});
