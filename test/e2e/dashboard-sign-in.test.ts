import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { goTo, openDashboard, openSignIn, signInLink, typeKey } from "../support/browser-dashboard.ts";
import { startExecutable } from "../support/executable.ts";
import { startScene, useScene } from "../support/scene.ts";
import { tempFolder } from "../support/store.ts";

const linksOf = (page: Page) =>
  page.getByRole("navigation", { name: "Pages", exact: true }).getByRole("link").allInnerTexts();

const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });

/** Opens the settings, and waits until the page has loaded everything. */
async function goToSettings(page: Page): Promise<void> {
  await goTo(page, "Settings");
  await shows(page.getByRole("table", { name: "Settings in effect" }));
}

inBrowser("dashboard: sign-in", (browser) => {
  const scene = useScene();

  test("the banner's link signs in once, and its code is removed from the address and the history", async () => {
    const { server } = await startScene({ onTerminal: true });
    const link = await signInLink(server);
    const page = await browser.open(link);
    await shows(heading(page, "Overview"));
    expect(page.url()).not.toContain("code");
    await page.reload();
    await shows(heading(page, "Overview"));

    const second = await browser.open(link, { allow: /status of 401.*\/api\/session/ });
    await shows(second.getByText("The link did not work"), second.getByLabel("Key", { exact: true }));
    expect(second.url()).not.toContain("code");
  });

  test("the banner's link works in a page that is already open, and again while signed in", async () => {
    const { server, url } = await startScene({ onTerminal: true });
    const link = await signInLink(server);
    const page = await openSignIn(browser, { url, adminKey: "" });
    await page.goto(link);
    await shows(heading(page, "Overview"));
    expect(page.url()).toBe(`${url}/dashboard`);
    await goTo(page, "Settings");
    const tab = await page.context().newPage();
    for (const open of [page, tab]) {
      await open.goto(link);
      await shows(heading(open, "Overview"));
      expect(open.url()).not.toContain("code");
    }
  });

  test("a browser that opens the server's root address is sent to the dashboard", async () => {
    const page = await browser.open(`${scene.url}/`);
    await shows(page.getByRole("button", { name: "Sign in" }));
    expect(page.url()).toBe(`${scene.url}/dashboard`);
  });

  test("the admin key opens all pages, and scripts cannot read the session cookie", async () => {
    const page = await openDashboard(browser, scene);
    expect(await linksOf(page)).toEqual([
      "Overview",
      "Traffic",
      "Requests",
      "Agents",
      "Models",
      "Users",
      "Usage",
      "Prices",
      "Try it",
      "Connect",
      "Settings",
      "Audit log",
    ]);
    const cookies = await page.context().cookies();
    expect(cookies).toMatchObject([{ httpOnly: true, sameSite: "Strict", path: "/" }]);
    expect(cookies[0]?.expires).toBeGreaterThan(Date.now() / 1000);
    const kept =
      "JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, document.body.innerHTML])";
    expect(await page.evaluate(kept)).not.toContain(scene.adminKey);
  });

  test("users see only their own usage and requests, and the page to try the models", async () => {
    const { token } = await scene.addUser();
    const page = await openDashboard(browser, scene, { key: token });
    expect(await linksOf(page)).toEqual(["Usage", "Requests", "Try it", "Connect"]);
    await goTo(page, "Usage");
    await page.goto(`${scene.url}/dashboard#/users`);
    await shows(heading(page, "Page not found"));
  });

  test("wrong keys are refused, then rate-limited, and the right key is accepted even then", async () => {
    const strict = await startScene({ flags: ["--key-failures-max", "2"] });
    const page = await openSignIn(browser, strict);
    browser.allow(/status of (401|429).*\/api\/session/);
    for (let tries = 0; tries < 2; tries++) {
      await typeKey(page, `wrong-${tries}`);
      await shows(page.getByRole("alert").getByText("Invalid API key"));
    }
    await checkAccessibility(page);
    await typeKey(page, "wrong again");
    await shows(page.getByRole("alert").getByText(/Try again in \d+ s/));
    await typeKey(page, strict.adminKey);
    await shows(heading(page, "Overview"));
  });

  test("signing out ends the session in all tabs and on the server", async () => {
    const page = await openDashboard(browser, scene);
    const tab = await page.context().newPage();
    await tab.goto(`${scene.url}/dashboard#/settings`);
    await shows(heading(tab, "Settings"));
    const [cookie] = await page.context().cookies();
    await page.getByRole("button", { name: "Sign out" }).click();
    await shows(page.getByText("You have signed out."), tab.getByText("You have signed out."));
    const headers = { cookie: `${cookie?.name}=${cookie?.value}` };
    expect((await scene.request("/admin/settings", { headers })).status).toBe(401);
    await tab.reload();
    await shows(tab.getByLabel("Key", { exact: true }));
  });

  test("after a session ends, signing in again returns to the same page", async () => {
    const page = await openDashboard(browser, scene);
    await goToSettings(page);
    await page.context().clearCookies();
    browser.allow(/status of 401/);
    await page.getByRole("link", { name: "Audit log" }).click();
    await shows(page.getByText("Your session has ended. Sign in again."));
    await typeKey(page, scene.adminKey);
    await shows(heading(page, "Audit log"));
  });

  test("a server that is unreachable for a moment does not sign anyone out", async () => {
    const page = await openDashboard(browser, scene);
    browser.allow(/status of 502/);
    await page.route("**/api/session", (route) =>
      route.fulfill({ status: 502, body: "<h1>Bad Gateway</h1>" }),
    );
    await page.reload();
    await shows(page.getByText("The server responded with status 502."));
    await page.unroute("**/api/session");
    await page.getByRole("button", { name: "Try again" }).click();
    await shows(heading(page, "Overview"));
  });

  test("a browser stays signed in when the server is restarted, but not with another admin key", async () => {
    const data = join(tempFolder(), "data");
    const { server, url, adminKey } = await startScene({ data });
    const page = await openDashboard(browser, { url, adminKey });
    await goToSettings(page);
    server.kill();
    await server.exited;
    const again = await startExecutable({ args: [String(server.port), adminKey], data });
    await page.reload();
    await goToSettings(page);
    again.kill();
    await again.exited;
    await startExecutable({ args: [String(server.port), `${adminKey}-2`], data });
    browser.allow(/status of 401/);
    await page.reload();
    await shows(page.getByLabel("Key", { exact: true }));
  });

  test("signing out works even if the session has already ended", async () => {
    const page = await openDashboard(browser, scene);
    await goToSettings(page);
    await page.context().clearCookies();
    browser.allow(/status of 401/);
    await page.getByRole("button", { name: "Sign out" }).click();
    await shows(page.getByText("You have signed out."), page.getByLabel("Key", { exact: true }));
    expect(await page.locator(".toast").count()).toBe(0);
  });

  test("rotating a user's token signs the user out", async () => {
    const { user_id, token } = await scene.addUser();
    const page = await openDashboard(browser, scene, { key: token });
    const headers = { authorization: scene.adminKey };
    await scene.request(`/admin/users/${user_id}/rotate`, { method: "POST", headers });
    browser.allow(/status of 401/);
    await page.reload();
    await shows(page.getByLabel("Key", { exact: true }));
  });

  test("reloading keeps the page, and the back button returns to the previous page", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Settings");
    await goTo(page, "Audit log");
    await page.reload();
    await shows(heading(page, "Audit log"));
    await page.goBack();
    await shows(heading(page, "Settings"));
    expect(await page.title()).toBe("Settings · chatgpt-api-server");
  });

  test("the sign-in page is accessible", async () => {
    await checkAccessibility(await openSignIn(browser, scene));
  });
});
