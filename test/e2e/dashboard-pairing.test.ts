import { expect, test } from "bun:test";
import type { Locator, Page } from "playwright-core";
import { hides, inBrowser, shows, type TestBrowser } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { startInShell } from "../support/browser-commands.ts";
import { copy, goTo, openDashboard, rowOf } from "../support/browser-dashboard.ts";
import { type Scene, useScene } from "../support/scene.ts";
import { tempFolder } from "../support/store.ts";

const OPEN_CODES = "Open pairing codes";

/** Opens the dialog on the page of the agents. */
async function openDialog(browser: TestBrowser, scene: Scene, options = {}): Promise<[Page, Locator]> {
  const page = await openDashboard(browser, scene, options);
  await goTo(page, "Agents");
  await page.getByRole("button", { name: "Pair an agent" }).click();
  return [page, page.getByRole("dialog", { name: "Pair an agent" })];
}

async function makeCode(page: Page, scene: Scene, name = ""): Promise<string> {
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name (optional)").fill(name);
  await dialog.getByRole("button", { name: "Make a code" }).click();
  await shows(dialog.getByText("Waiting for the agent …"));
  const code = await copy(page, "the code");
  expect(code).toMatch(/^[\dA-Z]{4}-[\dA-Z]{4}$/);
  scene.server.keepSecret(code);
  return code;
}

const exchange = (scene: Scene, code: string) =>
  scene.request<{ key?: string; name?: string }>("/agents/pair", {
    method: "POST",
    body: JSON.stringify({ code, name: "far box" }),
  });

inBrowser("dashboard: pairing", (browser) => {
  const scene = useScene();

  test("the command of a code pairs an agent, and the dialog names its key", async () => {
    const [page, dialog] = await openDialog(browser, scene);
    await checkAccessibility(page);
    await dialog.getByLabel("Tags").fill("home");
    const code = await makeCode(page, scene, "gpu box");
    await shows(dialog.getByText(/^The code expires in (10:00|9:\d\d)\.$/));
    await shows(dialog.getByRole("img", { name: "QR code of the link" }));
    expect(await copy(page, "the link")).toBe(`${scene.url}/pair#${code}`);
    const command = await copy(page, "the command");
    expect(command).toBe(`chatgpt-api-server agent ${scene.url} --pair ${code}`);
    await checkAccessibility(page);

    startInShell(`./${command} --echo --data ${tempFolder()}`);
    await shows(dialog.getByText("✓ Paired: gpu box", { exact: true }));
    await hides(dialog.getByText(code));
    await checkAccessibility(page);
    await dialog.getByRole("button", { name: "Done" }).click();
    await hides(dialog);
    await shows(rowOf(page, "Agent keys", "gpu box").getByText("tags home"));
    await shows(page.getByRole("table", { name: "Connected agents" }).getByText("key gpu box"));
    await hides(rowOf(page, OPEN_CODES, "gpu box"));
  });

  test("without a name, the dialog names the key as the agent does", async () => {
    const [page, dialog] = await openDialog(browser, scene);
    const code = await makeCode(page, scene);
    const { status, body } = await exchange(scene, code);
    expect(status).toBe(200);
    scene.server.keepSecret(body.key ?? "");
    await shows(dialog.getByText("✓ Paired: far box", { exact: true }));
  });

  test("a code can be revoked in the dialog, and after that in the list", async () => {
    const [page, dialog] = await openDialog(browser, scene);
    const first = await makeCode(page, scene);
    await dialog.getByRole("button", { name: "Revoke the code" }).click();
    await shows(dialog.getByText("The code was revoked."));
    await hides(dialog.getByText(first));
    expect((await exchange(scene, first)).status).toBe(401);

    await dialog.getByRole("button", { name: "Make another code" }).click();
    const second = await makeCode(page, scene, "left open");
    expect(second).not.toBe(first);
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    expect(await page.content()).not.toContain(second);
    const row = rowOf(page, OPEN_CODES, "left open");
    await shows(row.getByText(/^(10:00|9:\d\d)$/));
    await checkAccessibility(page);
    await row.getByRole("button", { name: "Revoke code for left open" }).click();
    await hides(row);
    expect((await exchange(scene, second)).status).toBe(401);
  });

  test("a code that has expired is no longer shown, and another one can be made", async () => {
    const page = await openDashboard(browser, scene);
    await page.route("**/admin/agents/pairings", async (route) => {
      if (route.request().method() !== "POST") return route.continue();
      const response = await route.fetch();
      const json = { ...(await response.json()), expires_at: new Date(Date.now() + 3_000).toISOString() };
      return route.fulfill({ response, json });
    });
    await goTo(page, "Agents");
    await page.getByRole("button", { name: "Pair an agent" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Make a code" }).click();
    await shows(dialog.getByRole("button", { name: "Copy the code" }));
    await shows(dialog.getByText("The code has expired, or was revoked."));
    await hides(dialog.getByRole("button", { name: "Copy the code" }));
    await dialog.getByRole("button", { name: "Make another code" }).click();
    await shows(dialog.getByRole("button", { name: "Make a code" }));
  });

  test("the form says what the server refuses, and no code is made", async () => {
    const [, dialog] = await openDialog(browser, scene);
    await dialog.getByLabel("Name (optional)").fill("never made");
    await dialog.getByLabel("Owner").fill("nobody");
    await dialog.getByRole("button", { name: "Make a code" }).click();
    await shows(dialog.getByText("No user has the name or the ID “nobody”."));
    await dialog.getByLabel("Owner").fill("");
    await dialog.getByLabel("Address of this server").fill("not an address");
    await shows(dialog.getByText("This is not an address."));
    await dialog.getByRole("button", { name: "Make a code" }).click();
    await shows(dialog.getByText("Enter the address of this server first."));
    await dialog.getByRole("button", { name: "Cancel" }).click();
    const init = { headers: { authorization: scene.adminKey } };
    const { text } = await scene.request("/admin/agents/pairings", init);
    expect(text).not.toContain("never made");
  });

  test("pairing works by keyboard, and the focus returns to the button", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Agents");
    await page.getByRole("button", { name: "Pair an agent" }).focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await shows(dialog);
    await page.keyboard.type("typed");
    await page.keyboard.press("Enter");
    await shows(dialog.getByText("Waiting for the agent …"));
    const names: string[] = [];
    for (let steps = 0; steps < 12; steps++) {
      await page.keyboard.press("Tab");
      names.push(
        String(await page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent")),
      );
    }
    for (const name of ["Copy the code", "Copy the command", "Copy the link", "Close", "Revoke the code"])
      expect(names).toContain(name);
    await page.keyboard.press("Escape");
    await hides(dialog);
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Pair an agent");
  });

  test("the dialog fits a phone, in dark mode, and its QR code stays dark on light", async () => {
    const [page, dialog] = await openDialog(browser, scene, { phone: true, dark: true });
    await makeCode(page, scene, "phone");
    const { y = -1 } = (await dialog.locator(".pairing-code").boundingBox()) ?? {};
    expect(y).toBeGreaterThanOrEqual(0);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    const excess = await dialog.evaluate((element) => element.scrollWidth - element.clientWidth);
    expect(excess).toBeLessThanOrEqual(0);
    const colors = await page.evaluate(
      `["backgroundColor", "fill"].map((name, at) => getComputedStyle(document.querySelector(["svg.qr", "svg.qr path"][at]))[name])`,
    );
    expect(colors).toEqual(["rgb(255, 255, 255)", "rgb(0, 0, 0)"]);
  });
});
