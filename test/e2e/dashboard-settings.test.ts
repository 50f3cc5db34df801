import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Download, Locator, Page } from "playwright-core";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { goTo, openDashboard } from "../support/browser-dashboard.ts";
import { runExecutable, startExecutable } from "../support/executable.ts";
import { type User, useScene } from "../support/scene.ts";
import { tempFolder } from "../support/store.ts";
import { until } from "../support/until.ts";

/** Clicks a link, and returns the downloaded file with the name that the browser suggests. */
async function download(page: Page, link: Locator): Promise<{ name: string; path: string }> {
  const [file] = await Promise.all([page.waitForEvent("download"), link.click()]);
  const path = join(tempFolder(), (file as Download).suggestedFilename());
  await file.saveAs(path);
  return { name: file.suggestedFilename(), path };
}

const textOf = (path: string) => Bun.file(path).text();

/** Opens the dialog of the webhook on the page of settings, where the search finds it. */
async function openWebhook(page: Page, search: string): Promise<Locator> {
  await goTo(page, "Settings");
  await page.getByLabel("Search the settings").fill(search);
  await page.getByRole("button", { name: "Change webhook" }).click();
  return page.getByRole("dialog", { name: "Messages about problems" });
}

inBrowser("dashboard: settings and audit log", (browser) => {
  const scene = useScene(["--queue-max", "77"]);

  test("the settings page shows the values in effect with their sources, but no secrets", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Settings");
    const rowOf = (name: string) =>
      page.getByRole("row").filter({ has: page.getByRole("rowheader", { name }) });
    const cellsOf = (name: string) => rowOf(name).getByRole("cell").allInnerTexts();
    await shows(rowOf("--queue-max"));
    expect((await cellsOf("--queue-max")).slice(0, 2)).toEqual(["77", "--queue-max"]);
    expect((await cellsOf("admin-key"))[0]).toBe("***");
    const content = await page.content();
    for (const secret of [scene.adminKey, scene.agentKey]) expect(content).not.toContain(secret);
    await page.getByRole("columnheader", { name: "Source" }).getByRole("button").click();
    await shows(page.locator("th[aria-sort=ascending]").getByText("Source"));
  });

  test("a limit changed on the settings page is in force at once, and can be taken back", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Settings");
    await page.getByLabel("Search the settings").fill("queue wait");
    const change = page.getByRole("button", { name: "Change --queue-wait" });
    await change.click();
    const dialog = page.getByRole("dialog", { name: "Change --queue-wait" });
    expect(await dialog.getByLabel("Seconds").inputValue()).toBe("120");
    await dialog.getByLabel("Seconds").fill("7");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await hides(dialog);
    await change.click();
    expect(await dialog.getByLabel("Seconds").inputValue()).toBe("120");
    await checkAccessibility(page);
    await dialog.getByLabel("Seconds").fill("soon");
    await dialog.getByRole("button", { name: "Save" }).click();
    await shows(dialog.getByText("Enter a number."));
    await dialog.getByLabel("Seconds").fill("0.2");
    await dialog.getByRole("button", { name: "Save" }).click();
    await hides(dialog);
    await shows(page.getByText("changed here", { exact: true }), page.getByText("200ms"));
    // Nobody waits two minutes any more.
    expect((await scene.ask({ content: "hi" })).text).toContain("No available clients");

    await change.click();
    await dialog.getByRole("button", { name: "Back to 120 s" }).click();
    await hides(page.getByText("changed here", { exact: true }));
    await page.getByLabel("Search the settings").fill("no such setting");
    await shows(page.getByText("No setting matches."));
  });

  test("a webhook set on the settings page gets a test message, and its address is not shown again", async () => {
    const received: unknown[] = [];
    const receiver = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        received.push(await request.json());
        return new Response(null, { status: received.length === 1 ? 204 : 404 });
      },
    });
    scene.after(() => receiver.stop(true));
    const page = await openDashboard(browser, scene);
    const dialog = await openWebhook(page, "webhook");
    await dialog.getByRole("button", { name: "Save" }).click();
    await shows(dialog.getByText("Enter the address."));
    await checkAccessibility(page);
    await dialog.getByLabel("Address").fill(`http://127.0.0.1:${receiver.port}/secret-path`);
    await dialog.getByLabel("Format").selectOption("generic JSON");
    await dialog.getByRole("button", { name: "Save" }).click();
    await hides(dialog);
    await shows(page.getByText("changed here", { exact: true }));
    expect(await page.content()).not.toContain("secret-path");

    await page.getByRole("button", { name: "Change webhook" }).click();
    await dialog.getByRole("button", { name: "Send a test message" }).click();
    await shows(page.getByText("The receiver has taken the test message."));
    await dialog.getByRole("button", { name: "Send a test message" }).click();
    await shows(page.getByText("The test message was not taken (status 404)."));
    expect(received).toHaveLength(2);
    await dialog.getByRole("button", { name: "No webhook" }).click();
    await hides(dialog);
    await shows(page.getByRole("row").filter({ hasText: "webhook" }).getByText("(none)").first());
  });

  test("a test message goes to the address that was just typed, which it saves", async () => {
    const received: string[] = [];
    const receiver = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch({ url }) {
        received.push(new URL(url).pathname);
        return new Response();
      },
    });
    scene.after(() => receiver.stop(true));
    const page = await openDashboard(browser, scene);
    const dialog = await openWebhook(page, "--alert-webhook");
    const send = dialog.getByRole("button", { name: "Send a test message" });
    await send.click();
    await shows(dialog.getByText("Enter the address."));
    await dialog.getByLabel("Address").fill(`http://127.0.0.1:${receiver.port}/first`);
    await send.click();
    await shows(page.getByText("The receiver has taken the test message."));
    await dialog.getByLabel("Address").fill(`http://127.0.0.1:${receiver.port}/second`);
    await send.click();
    await until(() => received.length === 2);
    expect(received).toEqual(["/first", "/second"]);
    await dialog.getByLabel("Address").fill("http://127.0.0.1:1/");
    await send.click();
    await shows(page.getByText("The test message did not arrive: connection refused."));
    await dialog.getByRole("button", { name: "Back to the flags" }).click();
    await hides(dialog);
  });

  test("the format and the severity that were chosen for a webhook stay after a test message, and are saved", async () => {
    const receiver = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    scene.after(() => receiver.stop(true));
    const page = await openDashboard(browser, scene);
    const dialog = await openWebhook(page, "--alert-webhook");
    await dialog.getByLabel("Format").selectOption("ntfy");
    await dialog.getByLabel("Send", { exact: true }).selectOption("everything");
    await dialog.getByRole("button", { name: "Send a test message" }).click();
    await shows(dialog.getByText("Enter the address."));
    await dialog.getByLabel("Address").fill(`http://127.0.0.1:${receiver.port}/topic`);
    await dialog.getByRole("button", { name: "Send a test message" }).click();
    await shows(page.getByText("The receiver has taken the test message."));
    await dialog.getByRole("button", { name: "Save" }).click();
    await hides(dialog);
    const response = await fetch(`${scene.url}/admin/settings`, {
      headers: { authorization: scene.adminKey },
    });
    const { settings } = (await response.json()) as { settings: { webhook: { current: object } } };
    expect(settings.webhook.current).toEqual({ url: "***", format: "ntfy", secret: null, severity: "info" });
    await page.getByRole("button", { name: "Change webhook" }).click();
    await dialog.getByRole("button", { name: "Back to the flags" }).click();
    await hides(dialog);
  });

  test("a change on the settings page does not overwrite what somebody else has changed", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Settings");
    await page.getByRole("button", { name: "Change --usage-days" }).click();
    const dialog = page.getByRole("dialog", { name: "Change --usage-days" });
    await dialog.getByLabel("Value").fill("30");
    const patched = await fetch(`${scene.url}/admin/settings`, {
      method: "PATCH",
      headers: { authorization: scene.adminKey },
      body: '{"usageDays":60}',
    });
    expect(patched.status).toBe(200);
    browser.allow(/status of 412/);
    await dialog.getByRole("button", { name: "Save" }).click();
    await shows(dialog.getByText(/^Somebody else has changed the settings meanwhile/));
    expect(await dialog.getByLabel("Value").inputValue()).toBe("30");
    await dialog.getByRole("button", { name: "Save" }).click();
    await hides(dialog);
  });

  test("a server starts from the downloaded backup", async () => {
    const { token } = await scene.addUser();
    const page = await openDashboard(browser, scene);
    await goTo(page, "Settings");
    const { name, path } = await download(page, page.getByRole("link", { name: "Download a backup" }));
    expect(name).toMatch(/^chatgpt-api-server-\d{4}-\d\d-\d\d\.tar$/);
    const data = join(tempFolder(), "restored");
    const restored = await runExecutable(["restore", path, "--data", data]);
    expect([restored.code, restored.stderr]).toEqual([0, expect.any(String)]);
    const { url } = await startExecutable({ data });
    const answer = await fetch(`${url}/api/session`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
    await goTo(page, "Audit log");
    await shows(page.getByRole("rowheader", { name: "backup" }));
  });

  test("a server with PostgreSQL offers no download of a backup, and names pg_dump", async () => {
    const page = await openDashboard(browser, scene);
    await page.route("**/admin/settings", async (route) => {
      const response = await route.fetch();
      const json = (await response.json()) as { settings: { database: object } };
      json.settings.database = { ...json.settings.database, value: "***", from: "CHATGPT_API_DATABASE" };
      await route.fulfill({ response, json });
    });
    await goTo(page, "Settings");
    await shows(page.getByText("pg_dump"));
    await hides(page.getByRole("link", { name: "Download a backup" }));
  });

  test("the audit log lists all changes in pages and as CSV", async () => {
    const added: string[] = [];
    for (let users = 0; users < 60; users++) added.push((await scene.addUser()).user_id);
    const page = await openDashboard(browser, scene);
    await goTo(page, "Audit log");
    const rows = page.getByRole("rowheader");
    await shows(page.getByText(added.at(-1) ?? ""));
    expect(await rows.count()).toBe(50);
    await page.getByRole("button", { name: "Older" }).click();
    await shows(page.getByText("Page 2"), page.getByText(added[0] ?? ""));
    await page.getByRole("button", { name: "Newer" }).click();
    await shows(page.getByText("Page 1"), page.getByText(added.at(-1) ?? ""));
    const { path } = await download(page, page.getByRole("link", { name: "CSV" }));
    const text = await textOf(path);
    for (const id of added) expect(text).toContain(id);
  });

  test("the audit log is filtered by its address, shows names, and downloads what it shows", async () => {
    const init = (body: object) => ({
      method: "POST",
      headers: { authorization: scene.adminKey },
      body: JSON.stringify(body),
    });
    const zoe = (await scene.request<User>("/admin/users/add", init({ name: "Zoë" }))).body;
    scene.server.keepSecret(zoe.token);
    await scene.request(`/admin/users/${zoe.user_id}/disable`, init({}));
    await scene.request("/admin/users/delete", init({ user_id: zoe.user_id }));
    await scene.addUser();
    const page = await openDashboard(browser, scene);
    await goTo(page, "Audit log");
    const table = page.getByRole("table", { name: "Changes by administrators, newest first" });
    const actions = () => table.getByRole("rowheader").allTextContents();
    await shows(table.getByRole("rowheader", { name: "session.begin" }));
    await page.getByLabel("Search").fill("zoe");
    await page.waitForURL(/search=zoe/);
    await hides(table.getByRole("rowheader", { name: "session.begin" }));
    await shows(table.getByRole("rowheader", { name: "user.add" }));
    expect((await actions()).map((text) => text.trim())).toEqual(["user.delete", "user.disable", "user.add"]);
    expect(await table.getByRole("link", { name: "Zoë" }).count()).toBe(3);
    await page.getByLabel("Action").selectOption("user.delete");
    await page.waitForURL(/action=user.delete/);
    await page.reload();
    await hides(table.getByRole("rowheader", { name: "user.add" }));
    await shows(table.getByRole("rowheader", { name: "user.delete" }));
    expect(await page.getByLabel("Search").inputValue()).toBe("zoe");
    await checkAccessibility(page);
    const { path } = await download(page, page.getByRole("link", { name: "CSV" }));
    expect((await textOf(path)).trim().split("\r\n")).toHaveLength(2);
    await page.getByLabel("By", { exact: true }).selectOption("cli");
    await shows(page.getByText("No change matches."));
  });
});
