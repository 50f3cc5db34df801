import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { runInShell } from "../support/browser-commands.ts";
import { copy, goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { testWith } from "../support/programs.ts";
import { useScene } from "../support/scene.ts";

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
inBrowser("the dashboard's users", (browser) => {
  const scene = useScene(["--echo"]);

  /** The answer's status of one who shows the token. */
  const statusOf = async (token: string) =>
    (await scene.request("/api/session", { headers: { authorization: `Bearer ${token}` } })).status;

  async function addUser(page: Page, fields: Record<string, string>): Promise<string> {
    await goTo(page, "Users");
    await button(page, "Add a user").click();
    const dialog = page.getByRole("dialog", { name: "Add a user" });
    for (const [label, text] of Object.entries(fields)) await dialog.getByLabel(label).fill(text);
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await shows(page.getByRole("dialog", { name: /^The token of/ }));
    const token = await copy(page, "the token");
    scene.server.keepSecret(token);
    return token;
  }

  async function openUser(page: Page, name: string): Promise<void> {
    await page.getByRole("table", { name: "Users" }).getByRole("link", { name, exact: true }).click();
    await shows(page.getByRole("heading", { level: 1, name }));
  }

  testWith(
    "curl",
    "one adds a user, whose token is shown once and works with curl as the page has it",
    async () => {
      const page = await openDashboard(browser, scene);
      const token = await addUser(page, { Name: "Ann" });
      const { stdout, code } = await runInShell(await copy(page, "the command"));
      expect([code, JSON.parse(stdout).content]).toEqual([0, "Hello!"]);
      const url = `${scene.url}/v1/models`;
      const models = await runInShell(`curl -sS -H "Authorization: Bearer $TOKEN" ${url}`, { TOKEN: token });
      expect(JSON.parse(models.stdout).object).toBe("list");
      await button(page, "I have it").click();
      await hides(page.getByRole("dialog"));
      expect(await page.content()).not.toContain(token);
      await shows(rowOf(page, "Users", "Ann").getByText("active"));
      await goTo(page, "Overview");
      await shows(rowOf(page, "Newest asks", "Ann"));
    },
  );

  test("limits that one sets hold, and can be changed and taken away", async () => {
    const page = await openDashboard(browser, scene);
    await addUser(page, { Name: "Ben", "Asks a minute": "7", Models: "echo, other" });
    await button(page, "I have it").click();
    await shows(rowOf(page, "Users", "Ben").getByText("7 a minute"));
    await openUser(page, "Ben");
    await button(page, "Change").click();
    const dialog = page.getByRole("dialog");
    expect(await dialog.getByLabel("Models").inputValue()).toBe("echo, other");
    await dialog.getByLabel("Asks a minute").fill("");
    await dialog.getByLabel("Tokens a day").fill("5000");
    await dialog.getByRole("button", { name: "Change" }).click();
    await shows(page.getByRole("definition").getByText("5,000"));
    await hides(page.getByRole("definition").getByText("7", { exact: true }));
    const [id] = (await page.url().match(/[^/]+$/)) ?? [];
    const headers = { authorization: scene.adminKey };
    const { body } = await scene.request(`/admin/users/${id}`, { headers });
    expect(body).toMatchObject({
      name: "Ben",
      models: ["echo", "other"],
      requests_per_minute: null,
      tokens_per_day: 5000,
    });
  });

  test("what the server refuses is told in the form, which keeps what was typed", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Users");
    await button(page, "Add a user").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("x".repeat(5000));
    browser.allow(/status of 400/);
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await shows(dialog.getByRole("alert"));
    expect(await dialog.getByLabel("Name").inputValue()).toHaveLength(5000);
    await page.keyboard.press("Escape");
    await hides(dialog);
  });

  test("a token that is rotated is replaced at once, or after the time that one chooses", async () => {
    const page = await openDashboard(browser, scene);
    const first = await addUser(page, { Name: "Cem" });
    await button(page, "I have it").click();
    await openUser(page, "Cem");
    const rotate = async (grace: string) => {
      await button(page, "Rotate the token").click();
      await page.getByLabel("The old token").selectOption({ label: grace });
      await button(page, "Rotate").click();
      await shows(page.getByRole("dialog", { name: "The new token of Cem" }));
      const token = await copy(page, "the token");
      await button(page, "I have it").click();
      scene.server.keepSecret(token);
      return token;
    };
    const second = await rotate("ends at once");
    expect([await statusOf(first), await statusOf(second)]).toEqual([401, 200]);
    const third = await rotate("is valid for an hour more");
    expect([await statusOf(second), await statusOf(third)]).toEqual([200, 200]);
  });

  test("one who is disabled, after a question, is refused until enabled again", async () => {
    const page = await openDashboard(browser, scene);
    const token = await addUser(page, { Name: "Dee" });
    await button(page, "I have it").click();
    await openUser(page, "Dee");
    await button(page, "Disable").click();
    await page.getByRole("dialog", { name: "Disable Dee?" }).getByRole("button", { name: "Disable" }).click();
    await shows(page.getByText("Dee is disabled."), button(page, "Enable"));
    expect(await statusOf(token)).not.toBe(200);
    await button(page, "Enable").click();
    await shows(page.getByText("Dee may ask again."), button(page, "Disable"));
    expect(await statusOf(token)).toBe(200);
  });

  test("deleting asks first, and then the token is refused", async () => {
    const page = await openDashboard(browser, scene);
    const token = await addUser(page, { Name: "Uma" });
    await button(page, "I have it").click();
    await openUser(page, "Uma");
    await button(page, "Delete").click();
    await page.getByRole("dialog", { name: "Delete Uma?" }).getByRole("button", { name: "Cancel" }).click();
    expect(await statusOf(token)).toBe(200);
    await button(page, "Delete").click();
    await button(page, "Delete Uma").click();
    await shows(page.getByText("Uma is deleted."), page.getByRole("heading", { level: 1, name: "Users" }));
    await hides(rowOf(page, "Users", "Uma"));
    expect(await statusOf(token)).toBe(401);
  });
});
