import { expect, test } from "bun:test";
import { inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility, checkPageEnd } from "../support/browser-accessibility.ts";
import { button, chooseIn, copy } from "../support/browser-dashboard.ts";
import { answer, ask, done, say, useTry } from "../support/browser-try.ts";
import { useScene } from "../support/scene.ts";
import { type AskFrame, chunk, messagesOf, streamPieces } from "../support/v2-agent.ts";

const modelOf = ({ body }: AskFrame): string => JSON.parse(body).model;

inBrowser("dashboard: the playground", (browser) => {
  const scene = useScene();

  const openTry = useTry(browser, scene);

  test("an answer is rendered from Markdown as it arrives, and its code can be copied", async () => {
    const text =
      "# Plan\n\nIt is **bold**.\n\n- one\n- two\n\n```python\nprint('hi')\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[site](https://example.com/x)\n";
    const { page } = await openTry(say(text.match(/[\s\S]{1,7}/g) ?? []));
    await ask(page, "Go");
    await done(page);
    const reply = answer(page);
    await shows(reply.getByRole("heading", { name: "Plan" }), reply.locator("strong", { hasText: "bold" }));
    expect(
      await reply
        .getByRole("listitem")
        .filter({ hasText: /^(one|two)$/ })
        .count(),
    ).toBe(2);
    expect(await reply.getByRole("cell").allTextContents()).toEqual(["1", "2"]);
    const link = reply.getByRole("link", { name: "site" });
    expect(await link.getAttribute("rel")).toBe("noopener noreferrer nofollow");
    expect(await copy(page, "the code block")).toBe("print('hi')");
    await checkAccessibility(page);
  });

  test("hostile Markdown is shown, and neither runs, nor loads, nor breaks anything", async () => {
    const hostile = [
      `<script>document.title = "pwned"</script>`,
      `<img src=x onerror="document.title='pwned'"> <svg onload="document.title='pwned'">`,
      `<style>body { display: none }</style><iframe src="https://evil.example.com"></iframe>`,
      "[a](javascript:alert(1)) ![b](https://evil.example.com/x.png) ![c](data:image/svg+xml,<svg/onload=alert(1)>)",
      "[d](data:text/html,x) <javascript:alert(1)> [e](//evil.example.com)",
    ];
    const nested = Array.from({ length: 300 }, (_, index) => `${"  ".repeat(index)}- level ${index}`).join(
      "\n",
    );
    const table = `| a | b |\n|---|---|\n${"| 1 | 2 |\n".repeat(10_000)}`;
    const rtl = "\u202eabc\u202c **שלום** مرحبا `קוד`";
    const { page } = await openTry((frame, agent) => {
      const asked = messagesOf(frame).at(-1)?.content;
      const answers: Record<string, string> = {
        html: hostile.join("\n\n"),
        nested,
        deep: `${"> ".repeat(3_000)}deep`,
        table,
        rtl,
        open: "text\n\n```js\nlet a = `",
      };
      streamPieces(agent, frame.ask, (answers[asked ?? ""] ?? "").match(/[\s\S]{1,9000}/g) ?? []);
    });
    for (const what of ["html", "nested", "deep", "table", "rtl", "open"]) {
      await ask(page, what);
      await done(page);
      await shows(page.getByRole("heading", { level: 2, name: /^Question/ }).last());
    }
    await shows(page.getByText("9,700 more rows are not shown"));
    expect(
      await page.locator(".md script, .md img, .md svg, .md style, .md iframe, .md [onerror]").count(),
    ).toBe(0);
    const hrefs = await page
      .locator(".md a")
      .evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    expect(hrefs).toEqual(["https://evil.example.com/x.png"]);
    expect(await page.title()).not.toBe("pwned");
    await shows(answer(page, 5).locator("pre", { hasText: "let a = `" }));
    await checkPageEnd(page);
  });

  test("a long answer that comes at once is shown completely", async () => {
    const text =
      "Some **bold** words and `code`, again and again.\n\n- a\n- b\n\n```js\nconst a = 1;\n```\n\n".repeat(
        2_500,
      );
    const { page } = await openTry(say([text]));
    await ask(page, "Go");
    await done(page);
    await shows(page.locator(".md-code").nth(2_499));
    expect(text.length).toBeGreaterThan(200_000);
    expect(await page.locator(".md ul > li").count()).toBe(5_000);
  });

  test("two models answer one message side by side, and each can be stopped and asked again", async () => {
    const { page, agent } = await openTry(() => {}, { models: [{ id: "left" }, { id: "right" }] });
    await button(page, "Compare two").click();
    await chooseIn(page, "Second model", "right");
    await ask(page, "Who are you?");
    const [one, two] = [await agent.next("ask"), await agent.next("ask")];
    const [left, right] = modelOf(one) === "left" ? [one, two] : [two, one];
    for (const { ask: id } of [left, right]) agent.say({ type: "accept", ask: id });
    agent.say({ type: "delta", ask: left.ask, data: chunk("I am left") });
    agent.say({ type: "delta", ask: right.ask, data: chunk("I am right") });
    await shows(answer(page, 0).getByText("I am left"), answer(page, 1).getByText("I am right"));
    await button(page, "Stop left").click();
    expect((await agent.next("cancel")).ask).toBe(left.ask);
    agent.say({
      type: "delta",
      ask: right.ask,
      data: JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
    });
    agent.say({
      type: "delta",
      ask: right.ask,
      data: JSON.stringify({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 9 } }),
    });
    agent.say({ type: "delta", ask: right.ask, data: "[DONE]" });
    agent.say({ type: "done", ask: right.ask, status: 200 });
    await shows(
      answer(page, 0).getByText("Stopped"),
      answer(page, 1).getByText("3 input tokens, 9 output tokens"),
    );
    await shows(answer(page, 1).getByText(/tokens\/s/));
    await checkAccessibility(page);
    await answer(page, 0).getByRole("button", { name: "Try again" }).click();
    expect(modelOf(await agent.next("ask"))).toBe("left");
    await answer(page, 1).getByRole("link").click();
    await shows(page.getByRole("dialog").getByText("right"));
  });

  test("the settings are sent as they are chosen, and no tools", async () => {
    const bodies: Record<string, unknown>[] = [];
    const { page } = await openTry((frame, agent) => {
      bodies.push(JSON.parse(frame.body));
      streamPieces(agent, frame.ask, ["{}"]);
    });
    await page.getByLabel("System message").fill("Be brief.");
    await page.getByLabel("Temperature").fill("0.3");
    await page.getByLabel("Max tokens").fill("0");
    await shows(page.getByText("A whole number from 1."));
    await page.getByLabel("Max tokens").fill("50");
    await page.getByLabel("Stop sequences").fill("END");
    await page.getByLabel("JSON mode").check();
    await ask(page, "Go");
    await done(page);
    expect(bodies[0]).toMatchObject({ temperature: 0.3, max_tokens: 50, stop: ["END"] });
    expect(bodies[0]).toMatchObject({ response_format: { type: "json_object" } });
    expect(bodies[0]?.["messages"]).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Go" },
    ]);
    expect(Object.keys(bodies[0] ?? {})).not.toContain("tools");
    expect(Object.keys(bodies[0] ?? {})).not.toContain("top_p");
  });

  test("the model is chosen of very many by keyboard alone", async () => {
    const models = Array.from({ length: 74 }, (_, index) => ({ id: `family/model-${index}` }));
    const asked: string[] = [];
    const { page } = await openTry(
      (frame, agent) => {
        asked.push(modelOf(frame));
        streamPieces(agent, frame.ask, ["ok"]);
      },
      { models },
    );
    const field = page.getByRole("combobox", { name: "Model", exact: true });
    await field.focus();
    await page.keyboard.press("ArrowDown");
    expect(await page.getByRole("option").count()).toBe(74);
    await checkAccessibility(page);
    await page.keyboard.type("MODEL 73");
    expect(await page.getByRole("option").allTextContents()).toEqual(["family/model-73"]);
    await page.keyboard.press("Escape");
    expect(await field.inputValue()).toBe("family/model-0");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    const last = await field.inputValue();
    expect(last).not.toBe("family/model-0");
    await ask(page, "Go");
    await done(page);
    expect(asked).toEqual([last]);
  });

  test("a limit that is reached says once when to try again", async () => {
    const { page, token } = await openTry(say(["ok"]));
    const { body } = await scene.request<{ user: { user_id: string } }>("/api/session", {
      headers: { authorization: token },
    });
    await scene.request(`/admin/users/${body.user.user_id}`, {
      method: "PATCH",
      headers: { authorization: scene.adminKey },
      body: JSON.stringify({ requests_per_minute: 1 }),
    });
    browser.allow(/status of 429/);
    await ask(page, "one");
    await done(page);
    await ask(page, "two");
    const text = (await page.getByRole("alert").textContent()) ?? "";
    expect(text.match(/try again in/gi)).toHaveLength(1);
    await shows(answer(page, 1).getByRole("link", { name: /^req_/ }));
  });
});
