import { describe, expect, test } from "bun:test";
import type { WebSocket } from "playwright-core";
import { inBrowser, shows } from "../support/browser.ts";
import { goTo, openDashboard } from "../support/browser-dashboard.ts";
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

inBrowser("dashboard: network use", (browser) => {
  const scene = useScene();

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
