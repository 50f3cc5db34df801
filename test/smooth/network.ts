import type { CDPSession, Page } from "playwright-core";
import type { SmoothScene } from "./scene.ts";

/** Slow 3G as browsers have long emulated it: 400 kbit/s both ways, and 400 ms for each request. */
export const SLOW_3G = { bytesPerSecond: 50_000, latencyMs: 400 } as const;

export interface Load {
  until: string;
  ms: number;
  requests: number;
  bytes: number;
}

/** Measures the time from the navigation until the page can be used. */
export async function measureLoads(scene: SmoothScene): Promise<Load[]> {
  const context = await scene.browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  await slowDown(cdp);
  const key = page.getByLabel("Key", { exact: true });
  const first = await measure(cdp, "sign-in form, first visit", async () => {
    await page.goto(`${scene.url}/dashboard`, { waitUntil: "commit" });
    await key.waitFor();
  });
  await page.waitForTimeout(3_000);
  await key.fill(scene.adminKey);
  const signedIn = await measure(cdp, "overview with numbers, after the sign-in", async () => {
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator(".tile").first().waitFor();
  });
  const again = await visit(page, cdp, scene, "again");
  await cdp.send("Network.clearBrowserCache");
  const cold = await visit(page, cdp, scene, "signed in, without a cache");
  await context.close();
  return [first, signedIn, ...again, ...cold];
}

async function visit(page: Page, cdp: CDPSession, { url }: SmoothScene, how: string): Promise<Load[]> {
  await page.goto("about:blank");
  const frame = await measure(cdp, `navigation and title, ${how}`, async () => {
    await page.goto(`${url}/dashboard#/overview`, { waitUntil: "commit" });
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  });
  await page.goto("about:blank");
  if (how !== "again") await cdp.send("Network.clearBrowserCache");
  const numbers = await measure(cdp, `overview with numbers, ${how}`, async () => {
    await page.goto(`${url}/dashboard#/overview`, { waitUntil: "commit" });
    await page.locator(".tile").first().waitFor();
  });
  return [frame, numbers];
}

async function slowDown(cdp: CDPSession): Promise<void> {
  await cdp.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: SLOW_3G.latencyMs,
    downloadThroughput: SLOW_3G.bytesPerSecond,
    uploadThroughput: SLOW_3G.bytesPerSecond,
  });
}

async function measure(cdp: CDPSession, until: string, load: () => Promise<void>): Promise<Load> {
  let [requests, bytes] = [0, 0];
  const onRequest = () => void requests++;
  const onFinished = ({ encodedDataLength }: { encodedDataLength: number }) => {
    bytes += encodedDataLength;
  };
  cdp.on("Network.requestWillBeSent", onRequest);
  cdp.on("Network.loadingFinished", onFinished);
  const begin = performance.now();
  await load();
  const ms = performance.now() - begin;
  cdp.off("Network.requestWillBeSent", onRequest);
  cdp.off("Network.loadingFinished", onFinished);
  return { until, ms, requests, bytes };
}
