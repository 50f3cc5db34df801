import { expect, test } from "bun:test";
import { inBrowser, shows } from "../support/browser.ts";
import { goTo, openDashboard } from "../support/browser-dashboard.ts";
import { useScene } from "../support/scene.ts";
import { connectV2Agent, messagesOf, streamPieces } from "../support/v2-agent.ts";

/** Counts the elements that each task of the page adds to a conversation, and keeps the most in `mostAdded`. */
const COUNT_ADDED = `window.mostAdded = 0;
new MutationObserver((records) => {
  const added = records.flatMap(({ addedNodes }) => [...addedNodes]).filter((node) => node.nodeType === 1);
  const count = new Set(added.flatMap((node) => [node, ...node.querySelectorAll("*")])).size;
  window.mostAdded = Math.max(window.mostAdded, count);
}).observe(document.querySelector("main"), { childList: true, subtree: true });`;

inBrowser("dashboard: long answers", (browser) => {
  const scene = useScene();

  async function openTry(answers: Readonly<Record<string, string>>, pieceLength: number) {
    const piece = new RegExp(`[\\s\\S]{1,${pieceLength}}`, "g");
    const agent = await connectV2Agent(scene.url, {
      onAsk: (frame, socket) =>
        streamPieces(socket, frame.ask, answers[messagesOf(frame).at(-1)?.content ?? ""]?.match(piece) ?? []),
    });
    scene.after(() => agent.stop());
    const { token } = await scene.addUser();
    const page = await openDashboard(browser, scene, { key: token });
    await goTo(page, "Try it");
    const ask = async (text: string) => {
      await page.getByLabel("Your message").fill(text);
      await page.getByLabel("Your message").press("Enter");
      await shows(page.getByRole("button", { name: "Try again" }));
    };
    return { page, ask };
  }

  test("a list of 12,000 items is drawn in small slices, and all of it, however it comes", async () => {
    const answers = {
      flat: Array.from({ length: 12_000 }, (_, index) => `- item **${index}**`).join("\n"),
      loose: "- a\n\n".repeat(12_000),
    };
    const { page, ask } = await openTry(answers, 8_000);
    await page.evaluate(COUNT_ADDED);
    for (const what of ["flat", "loose"]) {
      await ask(what);
      await shows(page.locator(".turn").last().locator(".md li").nth(11_999));
      expect(await page.locator(".turn").last().locator(".md li").count()).toBe(12_000);
    }
    const most = await page.evaluate<number>("mostAdded");
    expect(most).toBeGreaterThan(50);
    expect(most).toBeLessThan(1_000);
  });

  test("a long line that arrives in pieces stays one line", async () => {
    const { page, ask } = await openTry({ line: "word ".repeat(1_400) }, 50);
    await ask("line");
    const plain = page.locator(".md .md-plain");
    await shows(plain);
    expect(await plain.count()).toBe(1);
    expect(await plain.locator("*").count()).toBe(0);
  });

  test("a long table shows its first rows, and counts the others", async () => {
    const rows = Array.from({ length: 5_000 }, (_, index) => `| ${index} | [x](https://example.com) |`).join(
      "\n",
    );
    const { page, ask } = await openTry({ table: `| a | b |\n|---|---|\n${rows}\n\nafter` }, 60);
    await ask("table");
    await shows(page.getByText("4,700 more rows are not shown"), page.getByText("after", { exact: true }));
    expect(await page.locator(".md tbody tr").count()).toBe(300);
    expect(await page.locator(".md tbody tr").last().getByRole("cell").first().textContent()).toBe("299");
  });
});
