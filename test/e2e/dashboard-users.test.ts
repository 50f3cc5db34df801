import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { runInShell } from "../support/browser-commands.ts";
import { button, copy, goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { testWith } from "../support/programs.ts";
import { useScene } from "../support/scene.ts";

inBrowser("dashboard: users", (browser) => {
  const scene = useScene(["--echo"]);

  /** Returns the status of a response to a request with the token. */
  const statusOf = async (token: string) =>
    (await scene.request("/api/session", { headers: { authorization: `Bearer ${token}` } })).status;

  async function addUser(page: Page, fields: Record<string, string>): Promise<string> {
    await goTo(page, "Users");
    await button(page, "Add a user").click();
    const dialog = page.getByRole("dialog", { name: "Add a user" });
    for (const [label, text] of Object.entries(fields)) await dialog.getByLabel(label).fill(text);
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await shows(page.getByRole("dialog", { name: /^Token for/ }));
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
    "a new user's token is shown once, and works with the curl command on the page",
    async () => {
      const page = await openDashboard(browser, scene);
      const token = await addUser(page, { Name: "Ann" });
      const { stdout, code } = await runInShell(await copy(page, "the command"));
      expect([code, JSON.parse(stdout).content]).toEqual([0, "Hello!"]);
      const url = `${scene.url}/v1/models`;
      const models = await runInShell(`curl -sS -H "Authorization: Bearer $TOKEN" ${url}`, { TOKEN: token });
      expect(JSON.parse(models.stdout).object).toBe("list");
      await button(page, "Done").click();
      await hides(page.getByRole("dialog"));
      expect(await page.content()).not.toContain(token);
      await shows(rowOf(page, "Users", "Ann").getByText("active"));
      await goTo(page, "Overview");
      await shows(rowOf(page, "Recent requests", "Ann"));
    },
  );

  test("a priority that was chosen stays when the form is refused because of another field", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Users");
    await button(page, "Add a user").click();
    const dialog = page.getByRole("dialog", { name: "Add a user" });
    await dialog.getByLabel("Name").fill("Eve");
    await dialog.getByLabel("Priority").selectOption("high");
    await dialog.getByLabel("Budget per day").fill("two");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await shows(dialog.getByText(/^Budget per day must be an amount/));
    await dialog.getByLabel("Budget per day").fill("");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await shows(page.getByRole("dialog", { name: /^Token for/ }));
    scene.server.keepSecret(await copy(page, "the token"));
    await button(page, "Done").click();
    await openUser(page, "Eve");
    await shows(page.getByText("high", { exact: true }));
  });

  test("a user's limits can be set, changed and removed", async () => {
    const page = await openDashboard(browser, scene);
    await addUser(page, { Name: "Ben", "Requests per minute": "7", Models: "echo, other" });
    await button(page, "Done").click();
    await shows(rowOf(page, "Users", "Ben").getByText("7 requests/min"));
    await openUser(page, "Ben");
    await button(page, "Edit").click();
    const dialog = page.getByRole("dialog");
    expect(await dialog.getByLabel("Models").inputValue()).toBe("echo, other");
    await dialog.getByLabel("Requests per minute").fill("");
    await dialog.getByLabel("Tokens per day").fill("5000");
    await dialog.getByLabel("Priority").selectOption({ label: "low" });
    await dialog.getByLabel("Agent tags").fill("home, gpu");
    await dialog.getByRole("button", { name: "Save" }).click();
    await shows(page.getByRole("definition").getByText("5,000"));
    await hides(page.getByRole("definition").getByText("7", { exact: true }));
    await shows(page.getByRole("definition").getByText("home, gpu"));
    const [id] = (await page.url().match(/[^/]+$/)) ?? [];
    const headers = { authorization: scene.adminKey };
    const { body } = await scene.request(`/admin/users/${id}`, { headers });
    expect(body).toMatchObject({
      name: "Ben",
      models: ["echo", "other"],
      requests_per_minute: null,
      tokens_per_day: 5000,
      priority: "low",
      agent_tags: ["home", "gpu"],
    });
  });

  test("an error from the server is shown in the form, which keeps what was typed", async () => {
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

  test("rotating a token ends the old one at once or after the chosen time", async () => {
    const page = await openDashboard(browser, scene);
    const first = await addUser(page, { Name: "Cem" });
    await button(page, "Done").click();
    await openUser(page, "Cem");
    const rotate = async (grace: string) => {
      await button(page, "Rotate token").click();
      await page.getByLabel("Old token").selectOption({ label: grace });
      await button(page, "Rotate").click();
      await shows(page.getByRole("dialog", { name: "New token for Cem" }));
      const token = await copy(page, "the token");
      await button(page, "Done").click();
      scene.server.keepSecret(token);
      return token;
    };
    const second = await rotate("expires at once");
    expect([await statusOf(first), await statusOf(second)]).toEqual([401, 200]);
    const third = await rotate("stays valid for 1 hour");
    expect([await statusOf(second), await statusOf(third)]).toEqual([200, 200]);
  });

  test("a disabled user is refused until they are enabled again", async () => {
    const page = await openDashboard(browser, scene);
    const token = await addUser(page, { Name: "Dee" });
    await button(page, "Done").click();
    await openUser(page, "Dee");
    await button(page, "Disable").click();
    await page.getByRole("dialog", { name: "Disable Dee?" }).getByRole("button", { name: "Disable" }).click();
    await shows(page.getByText("Disabled Dee."), button(page, "Enable"));
    expect(await statusOf(token)).not.toBe(200);
    await button(page, "Enable").click();
    await shows(page.getByText("Enabled Dee."), button(page, "Disable"));
    expect(await statusOf(token)).toBe(200);
  });

  test("deleting a user asks for confirmation, and then refuses their token", async () => {
    const page = await openDashboard(browser, scene);
    const token = await addUser(page, { Name: "Uma" });
    await button(page, "Done").click();
    await openUser(page, "Uma");
    await button(page, "Delete").click();
    await page.getByRole("dialog", { name: "Delete Uma?" }).getByRole("button", { name: "Cancel" }).click();
    expect(await statusOf(token)).toBe(200);
    await button(page, "Delete").click();
    await button(page, "Delete Uma").click();
    await shows(page.getByText("Deleted Uma."), page.getByRole("heading", { level: 1, name: "Users" }));
    await hides(rowOf(page, "Users", "Uma"));
    expect(await statusOf(token)).toBe(401);
  });
});
