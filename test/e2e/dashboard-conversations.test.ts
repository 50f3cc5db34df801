import { expect, test } from "bun:test";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { button, chooseIn, goTo, typeKey } from "../support/browser-dashboard.ts";
import { answer, ask, done, message, type OnAsk, say, useTry } from "../support/browser-try.ts";
import { useScene } from "../support/scene.ts";
import { messagesOf, streamPieces } from "../support/v2-agent.ts";

/** A picture of 8 by 8 pixels, as a browser makes it. */
const DRAW = (width: number, height: number) => `(() => {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: ${width}, height: ${height} });
  const context = canvas.getContext("2d");
  for (let x = 0; x < ${width}; x += 7) { context.fillStyle = "hsl(" + (x * 37) % 360 + " 80% 50%)"; context.fillRect(x, 0, 5, ${height}); }
  return canvas.toDataURL("image/png").split(",")[1];
})()`;

inBrowser("dashboard: conversations", (browser) => {
  const scene = useScene();

  const openTry = useTry(browser, scene);

  test("images are added by file and by paste, made smaller, and sent; a model without eyes is noted", async () => {
    const seen: { content: { type: string; image_url?: { url: string } }[] }[][] = [];
    const models = [
      { id: "blind", capabilities: ["completion"] },
      { id: "eyes", capabilities: ["completion", "vision"] },
    ];
    const onAsk: OnAsk = (frame, agent) => {
      seen.push(JSON.parse(frame.body).messages);
      streamPieces(agent, frame.ask, ["a picture"]);
    };
    const { page } = await openTry(onAsk, { models });
    const picture = async (width: number, height: number) =>
      Buffer.from(await page.evaluate<string>(DRAW(width, height)), "base64");
    const file = { name: "wide.png", mimeType: "image/png", buffer: await picture(4_000, 1_000) };
    await page
      .locator("input[type=file]")
      .setInputFiles([file, { ...file, name: "no.png", buffer: Buffer.from("no") }]);
    await shows(page.getByRole("img", { name: "wide.png" }), page.getByText("no.png is not an image"));
    await page.evaluate(`(() => {
      const bytes = Uint8Array.from(atob(${JSON.stringify((await picture(8, 8)).toString("base64"))}), (c) => c.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], "small.png", { type: "image/png" }));
      document.querySelector("textarea[name=question]").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    })()`);
    await shows(page.getByRole("img", { name: "small.png" }));
    await chooseIn(page, "Model", "blind");
    await shows(page.getByText("this model is not known to take images"));
    await checkAccessibility(page);
    await chooseIn(page, "Model", "eyes");
    await hides(page.getByText("this model is not known to take images"));
    await ask(page, "What is it?");
    await done(page);
    const parts = seen[0]?.at(-1)?.content ?? [];
    expect(parts.map(({ type }) => type)).toEqual(["text", "image_url", "image_url"]);
    expect(parts[1]?.image_url?.url).toStartWith("data:image/jpeg;base64,");
    expect(parts[2]?.image_url?.url).toStartWith("data:image/png;base64,");
    const size = await page.evaluate<number>(
      `new Promise((resolve) => { const image = new Image(); image.onload = () => resolve(image.naturalWidth); image.src = ${JSON.stringify(parts[1]?.image_url?.url)}; })`,
    );
    expect(size).toBe(1_568);
  });

  test("conversations survive a reload, and can be named, opened, exported and deleted", async () => {
    const { page } = await openTry((frame, agent) =>
      streamPieces(agent, frame.ask, [`**answer** to ${messagesOf(frame).at(-1)?.content}`]),
    );
    await ask(page, "first");
    await shows(answer(page).getByText("to first"));
    await shows(page.getByRole("link", { name: /^first/ }));
    await page.reload();
    await shows(answer(page).getByText("to first"), answer(page).locator("strong"));
    await ask(page, "more");
    await shows(answer(page, 1).getByText("to more"));
    const download = page.waitForEvent("download");
    await button(page, "Export Markdown").click();
    const file = await download;
    expect(file.suggestedFilename()).toBe("first.md");
    expect(await Bun.file(await file.path()).text()).toContain(
      "# first\n\n## Question\n\nfirst\n\n## m\n\n**answer** to first",
    );
    await button(page, "New conversation").click();
    await hides(answer(page));
    await ask(page, "second");
    await shows(answer(page).getByText("to second"), page.getByRole("link", { name: /^second/ }));
    await button(page, "Rename first").click();
    await page.getByLabel("Name", { exact: true }).fill("My talk");
    await page.getByRole("dialog").getByRole("button", { name: "Rename", exact: true }).click();
    await page.getByRole("link", { name: /^My talk/ }).click();
    await shows(answer(page, 1).getByText("to more"));
    await page.goBack();
    await shows(answer(page).getByText("to second"));
    await button(page, "Delete My talk").click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await hides(page.getByRole("link", { name: /^My talk/ }));
    await page.reload();
    await shows(page.getByRole("link", { name: /^second/ }));
    expect(await page.getByRole("link", { name: /^My talk/ }).count()).toBe(0);
  });

  test("the title of a kept conversation has the width of its row, whose actions show on hover and on focus", async () => {
    const { page } = await openTry(say(["fine"]));
    await ask(page, "What should I cook for twelve people tonight without an oven?");
    await shows(answer(page).getByText("fine"));
    const title = page.locator(".kept-title");
    await shows(title);
    const shareOfRow = () =>
      title.evaluate((one) => one.getBoundingClientRect().width / (one.closest("li")?.clientWidth ?? 1));
    const opacity = () =>
      page.evaluate<string>("getComputedStyle(document.querySelector('.kept-actions')).opacity");
    await page.mouse.move(0, 0);
    expect([await opacity(), (await shareOfRow()) > 0.6]).toEqual(["0", true]);
    await title.hover();
    expect([await opacity(), (await shareOfRow()) > 0.6]).toEqual(["1", true]);
    await page.mouse.move(0, 0);
    await page.getByRole("button", { name: /^Rename What should/ }).focus();
    expect(await opacity()).toBe("1");
    await checkAccessibility(page);
  });

  test("a conversation that two tabs continue is kept as two, and neither loses a message", async () => {
    const { page } = await openTry(say(["ok"]));
    await ask(page, "first");
    await done(page);
    await shows(page.getByRole("link", { name: /^first/ }));
    const tab = await page.context().newPage();
    await tab.goto(page.url());
    await shows(answer(tab).getByText("ok"));
    await ask(tab, "from the second tab");
    await shows(answer(tab, 1).getByText("ok"));
    // A reload right after an answer keeps it too.
    await tab.reload();
    await shows(answer(tab, 1).getByText("ok"));
    await ask(page, "from the first tab");
    await shows(page.getByText("Another tab has changed this conversation. Yours is kept as a new one."));
    await shows(page.getByRole("link", { name: /^first/ }).nth(1));
    expect(page.url()).not.toBe(tab.url());
    for (const [one, question] of [
      [page, "from the first tab"],
      [tab, "from the second tab"],
    ] as const) {
      await one.reload();
      await shows(one.locator(".question", { hasText: question }));
      expect(await one.locator(".turn").count()).toBe(2);
    }
  });

  test("a browser whose storage is full says that it does not keep the conversation", async () => {
    const { page } = await openTry(say(["ok"]));
    await page.evaluate(
      `IDBObjectStore.prototype.put = function () { isAborted.has(this.transaction) || queueMicrotask(() => this.transaction.abort()); isAborted.add(this.transaction); }; var isAborted = new Set()`,
    );
    await ask(page, "first");
    await done(page);
    await shows(page.getByText(/could not keep this conversation/));
  });

  test("a browser whose database does not open lets a new conversation begin at once", async () => {
    const { page } = await openTry(say(["ok"]));
    await page.context().addInitScript("IDBFactory.prototype.open = () => new EventTarget()");
    await page.reload();
    await shows(message(page));
    await ask(page, "first");
    await done(page);
    await button(page, "New conversation").click();
    await hides(answer(page));
  });

  test("nobody else sees a conversation, and signing out deletes it from the browser", async () => {
    const { page, token } = await openTry(say(["a secret answer"]));
    await ask(page, "secret question");
    await shows(
      answer(page).getByText("a secret answer"),
      page.getByRole("link", { name: /^secret question/ }),
    );
    const address = page.url();
    // The session ends, and somebody else signs in at the page.
    browser.allow(/status of 401/);
    await page.context().clearCookies();
    await page.reload();
    await typeKey(page, scene.adminKey);
    await shows(page.getByRole("navigation", { name: "Pages", exact: true }));
    await page.goto(address);
    await shows(page.getByText("This browser does not have that conversation."));
    expect(await page.getByText("secret").count()).toBe(0);
    await button(page, "Sign out").click();
    await typeKey(page, token);
    await goTo(page, "Try it");
    await shows(page.getByRole("link", { name: /^secret question/ }));
    await button(page, "Sign out").click();
    await shows(page.getByText("You have signed out."));
    await typeKey(page, token);
    await goTo(page, "Try it");
    await shows(message(page));
    expect(await page.getByText("secret").count()).toBe(0);
    const kept = `new Promise((resolve) => { const open = indexedDB.open("chatgpt-api-server.conversations"); open.onsuccess = () => { const all = open.result.transaction("bodies").objectStore("bodies").getAll(); all.onsuccess = () => resolve(all.result.length); }; })`;
    expect(await page.evaluate<number>(kept)).toBe(0);
  });

  test("the last message can be edited, and Enter sends unless a character is being put together", async () => {
    const asked: string[] = [];
    const { page } = await openTry((frame, agent) => {
      asked.push(
        messagesOf(frame)
          .map(({ content }) => content)
          .join("|"),
      );
      streamPieces(agent, frame.ask, ["ok"]);
    });
    await message(page).fill("one");
    await message(page).press("Shift+Enter");
    await page.keyboard.type("two");
    await message(page).dispatchEvent("keydown", { key: "Enter", isComposing: true, bubbles: true });
    await message(page).press("Enter");
    await done(page);
    expect(asked).toEqual(["one\ntwo"]);
    await button(page, "Edit the last message").click();
    expect(await message(page).inputValue()).toBe("one\ntwo");
    await message(page).fill("three");
    await message(page).press("Enter");
    await shows(page.locator(".question", { hasText: "three" }));
    await done(page);
    expect(asked).toEqual(["one\ntwo", "three"]);
    expect(await page.locator(".turn").count()).toBe(1);
  });
});
