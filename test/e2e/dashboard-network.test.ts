import { describe, expect, test } from "bun:test";
import type { Page, WebSocket } from "playwright-core";
import { inBrowser, shows } from "../support/browser.ts";
import { goTo, openDashboard, typeKey } from "../support/browser-dashboard.ts";
import { makeCertificate } from "../support/certificate.ts";
import { startExecutable } from "../support/executable.ts";
import { useScene } from "../support/scene.ts";

/** The maximum size of script and style sheet together, as transferred. */
const PAGE_BYTES_MAX = 150_000;

interface Loaded {
  name: string;
  /** The compressed size. */
  encodedBodySize: number;
  /** 0 if the file came from the cache. */
  transferSize: number;
}

const LOADED = `performance.getEntriesByType("resource")
  .filter(({ name }) => /\\.(js|css)$/.test(name))
  .map(({ name, encodedBodySize, transferSize }) => ({ name, encodedBodySize, transferSize }))`;

const ASKED = `performance.getEntriesByType("resource")
  .map(({ name, initiatorType }) => [new URL(name).pathname, initiatorType])
  .filter(([path]) => !path.startsWith("/dashboard/"))`;

/** Returns the data that the page has asked for, each with what made the browser ask: `link` is the page itself. */
const asked = (page: Page): Promise<[path: string, by: string][]> => page.evaluate(ASKED);

const tile = (page: Page) => page.locator("dl > div").getByText("Agents connected");

/** Lets the page wait for its live view. */
const silenceLive = (page: Page) => page.routeWebSocket(/\/admin\/live$/, () => undefined);

const PRELOAD = '<link rel="preload" href="/admin/overview" as="fetch" crossorigin="anonymous" />';

/** Holds the overview back until the returned function is called, which resolves when the page has read the answer. */
async function holdOverview(page: Page): Promise<() => Promise<void>> {
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
  await page.route("**/admin/overview", async (route) => {
    await isReleased;
    await route.continue();
  });
  return async () => {
    const [response] = await Promise.all([page.waitForResponse("**/admin/overview"), release()]);
    await response.finished();
    // A later answer is read later.
    await page.evaluate("fetch('/api/session').then((answer) => answer.json())");
  };
}

inBrowser("dashboard: network use", (browser) => {
  const scene = useScene();

  test("the overview of someone who is signed in needs no script to ask for its numbers, and asks for them once", async () => {
    const page = await openDashboard(browser, scene);
    await silenceLive(page);
    await page.reload();
    await shows(tile(page), page.getByText("Connecting …", { exact: true }));
    expect(await asked(page)).toEqual([
      ["/api/session", "link"],
      ["/admin/overview", "link"],
    ]);
  });

  test("no other page asks for the overview, nor does the page of a user", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Connect");
    await page.reload();
    await shows(page.getByRole("heading", { level: 1, name: "Connect" }));
    expect((await asked(page)).map(([path]) => path)).not.toContain("/admin/overview");
    await goTo(page, "Overview");
    await page.reload();
    await shows(page.getByRole("heading", { level: 1, name: "Overview" }));
    expect(await asked(page)).toContainEqual(["/admin/overview", "link"]);

    const { token } = await scene.addUser();
    const own = await openDashboard(browser, scene, { key: token });
    await own.reload();
    await shows(own.getByRole("heading", { level: 1, name: "Usage" }));
    const paths = (await asked(own)).map(([path]) => path);
    expect(paths).toContain("/api/session");
    expect(paths).not.toContain("/admin/overview");
  });

  test("a user whose browser kept the page of an administrator sees no overview, and stays signed in", async () => {
    const { token } = await scene.addUser();
    const page = await openDashboard(browser, scene, { key: token });
    browser.allow(/status of 401.*\/admin\/overview/);
    await page.route("**/dashboard", async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace("</head>", `${PRELOAD}</head>`);
      await route.fulfill({ response, body });
    });
    const release = await holdOverview(page);
    await page.reload();
    await shows(page.getByRole("heading", { level: 1, name: "Usage" }));
    await release();
    expect(await page.getByText("Your session has ended.").count()).toBe(0);
  });

  test("an overview that comes after the sign-out is not shown to who signs in next", async () => {
    const page = await openDashboard(browser, scene);
    await silenceLive(page);
    const release = await holdOverview(page);
    await page.reload();
    await page.getByRole("button", { name: "Sign out" }).click();
    await shows(page.getByText("You have signed out."));
    await typeKey(page, scene.adminKey);
    await shows(page.getByText("Connecting …", { exact: true }));
    await release();
    expect(await tile(page).count()).toBe(0);
  });

  test("script and style sheet are small, and are loaded only once", async () => {
    const page = await openDashboard(browser, scene);
    // The overview has a script of its own, which may come after the navigation is shown.
    await shows(page.getByRole("heading", { level: 1, name: "Overview" }));
    const first: Loaded[] = await page.evaluate(LOADED);
    expect(first.length).toBeGreaterThan(1);
    const bytes = first.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(PAGE_BYTES_MAX);
    const tab = await page.context().newPage();
    await tab.goto(`${scene.url}/dashboard`);
    await shows(tab.getByRole("heading", { level: 1, name: "Overview" }));
    const second: Loaded[] = await tab.evaluate(LOADED);
    expect(second.map(({ name }) => name).sort()).toEqual(first.map(({ name }) => name).sort());
    expect(second.map(({ transferSize }) => transferSize)).toEqual(second.map(() => 0));
  });

  test("the live socket is open only while a page shows live data", async () => {
    const page = await openDashboard(browser, scene);
    await goTo(page, "Settings");
    const sockets: WebSocket[] = [];
    page.on("websocket", (socket) => sockets.push(socket));
    await goTo(page, "Overview");
    await shows(page.getByText("Live", { exact: true }));
    expect(sockets.map((socket) => socket.isClosed())).toEqual([false]);
    await Promise.all([sockets[0]?.waitForEvent("close"), goTo(page, "Audit log")]);
    expect(sockets).toHaveLength(1);
  });

  describe("under TLS", () => {
    test("over TLS, the session cookie is Secure and the live view works", async () => {
      const { cert, key } = await makeCertificate("dashboard.test");
      const adminKey = `admin-${crypto.randomUUID()}`;
      const args = ["0", adminKey, "--tls-cert", cert, "--tls-key", key];
      const { url } = await startExecutable({ args });
      const page = await openDashboard(browser, { url, adminKey });
      expect(page.url()).toStartWith("https:");
      expect(await page.context().cookies()).toMatchObject([{ secure: true, httpOnly: true }]);
      await shows(page.getByText("Live", { exact: true }));
    });
  });
});
