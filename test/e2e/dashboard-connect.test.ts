import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { runInShell, runModule } from "../support/browser-commands.ts";
import { button, chooseIn, copy, goTo, openDashboard } from "../support/browser-dashboard.ts";
import { testWith } from "../support/programs.ts";
import { useScene } from "../support/scene.ts";
import { until } from "../support/until.ts";
import { connectV2Agent, messagesOf, streamPieces, V2_HELLO } from "../support/v2-agent.ts";

const client = (page: Page, name: string) => page.getByRole("radio", { name, exact: true });
const field = (page: Page) => page.getByLabel("Fill my token in");

inBrowser("dashboard: connect a client", (browser) => {
  const scene = useScene();

  async function openConnect(asAdmin = false) {
    const asked: (string | undefined)[] = [];
    const agent = await connectV2Agent(scene.url, {
      hello: { ...V2_HELLO, models: [{ id: "m" }, { id: "it's/n:1" }] },
      onAsk: (ask, self) => {
        asked.push(messagesOf(ask).at(-1)?.content);
        if (ask.stream) streamPieces(self, ask.ask, ["hello back"]);
        else {
          const body = JSON.stringify({
            choices: [{ message: { role: "assistant", content: "hello back" } }],
          });
          self.say({ type: "done", ask: ask.ask, status: 200, body });
        }
      },
    });
    scene.after(() => agent.stop());
    const { token } = await scene.addUser();
    const page = await openDashboard(browser, scene, asAdmin ? {} : { key: token });
    await goTo(page, "Connect");
    return { page, token, asked };
  }

  const statusOf = async (token: string) =>
    (await scene.request("/api/session", { headers: { authorization: token } })).status;

  /** Copies the n-th lines of the chosen client. */
  async function lines(page: Page, index: number): Promise<string> {
    await page.evaluate("navigator.clipboard.writeText('nothing was copied')");
    await page
      .getByRole("button", { name: /^Cop(y|ied) the lines$/ })
      .nth(index)
      .click();
    // The message of an earlier copy may still be there.
    let copied = "nothing was copied";
    await until(async () => {
      copied = await page.evaluate("navigator.clipboard.readText()");
      return copied !== "nothing was copied";
    });
    return copied;
  }

  testWith("curl", "the lines of curl work as they are copied, with the token filled in", async () => {
    const { page, token, asked } = await openConnect();
    await client(page, "curl").check();
    await chooseIn(page, "Model", "it's/n:1");
    expect(await lines(page, 0)).toBe("export TOKEN='<token>'\n");
    await field(page).fill(token);
    await shows(page.getByText("export TOKEN=••••••••"));
    const { stdout } = await runInShell(`${await lines(page, 0)}${await lines(page, 1)}`, {});
    expect(JSON.parse(stdout).choices[0].message.content).toBe("hello back");
    expect(asked).toEqual(["Hello"]);
    expect(await page.locator("main").textContent()).not.toContain(token);
    expect(page.url()).not.toContain(token);
  });

  test("the lines of openai-node work as they are copied", async () => {
    const { page, token } = await openConnect();
    await client(page, "openai-node").check();
    const code = await lines(page, 1);
    expect(code).toContain(`${scene.url}/v1`);
    expect(await runModule(code, { TOKEN: token })).toEqual({ code: 0, stdout: "hello back\n", stderr: "" });
  });

  test("each system has its own shell and its own places of files", async () => {
    const { page } = await openConnect();
    await client(page, "Claude Code").check();
    await page.getByRole("radio", { name: "Windows" }).check();
    await shows(page.getByText("%USERPROFILE%\\.claude\\settings.json"));
    expect(await lines(page, 2)).toContain("$env:ANTHROPIC_BASE_URL = ");
    await page.getByRole("radio", { name: "macOS" }).check();
    await shows(page.getByText("~/.claude/settings.json"));
    expect(JSON.parse(await lines(page, 0)).env.ANTHROPIC_BASE_URL).toBe(scene.url);
    await client(page, "Home Assistant").check();
    expect(await copy(page, "the field URL")).toBe(scene.url);
    await page.reload();
    await shows(page.getByRole("heading", { name: "Connect Home Assistant" }));
  });

  test("users rotate their token themselves, and stay signed in", async () => {
    const { page, token } = await openConnect();
    await button(page, "Rotate my token").click();
    await page.getByLabel("Old token").selectOption("0");
    await page.getByRole("dialog").getByRole("button", { name: "Rotate", exact: true }).click();
    await shows(page.getByText("The old token has expired."));
    const rotated = await copy(page, "the token");
    scene.server.keepSecret(rotated);
    expect([await statusOf(token), await statusOf(rotated)]).toEqual([401, 200]);
    await button(page, "Done").click();
    await hides(page.getByRole("dialog"));
    await client(page, "Codex CLI").check();
    expect(await lines(page, 0)).toContain(`experimental_bearer_token = "${rotated}"`);
    expect(await page.locator("main").textContent()).not.toContain(rotated);
    await checkAccessibility(page);
    await page.reload();
    await shows(page.getByRole("heading", { level: 1, name: "Connect" }));
    expect(await field(page).inputValue()).toBe("");
    await page.getByRole("link", { name: "Failed requests" }).click();
    await shows(page.getByRole("heading", { level: 1, name: "Requests" }));
  });

  test("the filled-in token is gone for the next person who signs in", async () => {
    const { page, token } = await openConnect();
    await field(page).fill(token);
    await button(page, "Sign out").click();
    await page.getByLabel("Key", { exact: true }).fill(scene.adminKey);
    await page.getByRole("button", { name: "Sign in" }).click();
    await goTo(page, "Connect");
    expect(await field(page).inputValue()).toBe("");
    await shows(page.getByText("Programs should have the token of a user"));
    expect(await button(page, "Rotate my token").count()).toBe(0);
  });
});
