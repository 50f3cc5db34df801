import { afterAll, afterEach, beforeAll, onTestFinished } from "bun:test";
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright-core";
import { type BrowserFaults, watchFaults } from "./browser-faults.ts";
import { describeWith, findProgram } from "./programs.ts";
import { HANG_MS } from "./until.ts";

const CHROMIUM = findProgram("chromium");

export interface OpenOptions {
  /** Default: light. */
  dark?: boolean;
  /** 360 pixels wide, with touch instead of a mouse. Default: a desktop window. */
  phone?: boolean;
  /** How many times slower than this machine the pages compute. Default: the environment's `CPU_THROTTLING`, or 1. */
  cpuThrottling?: number;
  /** Console errors to ignore from the start, as with `allow`. */
  allow?: RegExp;
}

export interface TestBrowser {
  /**
   * Opens a page in a context of its own, without cookies or storage. `page.context()` opens further tabs.
   * The test fails at its end for everything that `watchFaults` has found.
   */
  open(url: string, options?: OpenOptions): Promise<Page>;
  /** Ignores matching console errors in all pages of the test from now on, because the test provokes them. */
  allow(message: RegExp): void;
}

/** Slows down all pages of all tests, as in `CPU_THROTTLING=4 bun test …`. */
const CPU_THROTTLING = Number(process.env["CPU_THROTTLING"] ?? 1);

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };

/**
 * Defines tests that share one Chromium. Without it, all tests of the dashboard are skipped with one line.
 */
export function inBrowser(what: string, tests: (browser: TestBrowser) => void): void {
  describeWith("chromium", CHROMIUM ? what : "the dashboard in a browser", () => tests(useBrowser()));
}

/** Starts one Chromium for the tests of the file or of the `describe` in which it is called. */
export function useBrowser(): TestBrowser {
  let browser: Browser | undefined;
  let opened: { context: BrowserContext; faults: BrowserFaults; found: readonly string[] }[] = [];
  beforeAll(async () => {
    if (CHROMIUM === undefined) return;
    const args = [
      // Neither pages nor Chromium itself can reach anything but this machine.
      "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1, EXCLUDE localhost",
      // One process less, which saves an eighth of the time.
      "--in-process-gpu",
    ];
    browser = await chromium.launch({ executablePath: CHROMIUM, args, timeout: HANG_MS });
  });
  afterAll(() => browser?.close());
  // Must run before the test's servers stop, because pages would log errors then.
  afterEach(async () => {
    const all = opened;
    opened = [];
    for (const one of all) {
      one.found = await one.faults.list();
      await one.context.close();
    }
  });

  return {
    async open(url, { dark = false, phone = false, cpuThrottling = CPU_THROTTLING, allow } = {}) {
      if (browser === undefined)
        throw new Error("Open pages only inside of a test: the browser runs only while tests run.");
      const context = await browser.newContext({
        colorScheme: dark ? "dark" : "light",
        reducedMotion: "reduce",
        viewport: phone ? PHONE : DESKTOP,
        hasTouch: phone,
        permissions: ["clipboard-read", "clipboard-write"],
        // The browser does not know the authority of the tests' certificates.
        ignoreHTTPSErrors: true,
      });
      context.setDefaultTimeout(HANG_MS);
      const faults = await watchFaults(context, url);
      if (allow) faults.allow(allow);
      const entry = { context, faults, found: [] as readonly string[] };
      opened.push(entry);
      onTestFinished(() => {
        if (entry.found.length > 0) throw new Error(entry.found.join("\n"));
      });
      const page = await context.newPage();
      await slowDown(page, cpuThrottling);
      // Further tabs, which the page or the test opens.
      context.on("page", (tab) => void slowDown(tab, cpuThrottling).catch(() => undefined));
      await page.goto(url);
      return page;
    },
    allow(message) {
      for (const { faults } of opened) faults.allow(message);
    },
  };
}

async function slowDown(page: Page, rate: number): Promise<void> {
  if (rate === 1) return;
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate });
}

/** Waits until each locator is visible. Rejects with the one that is missing. */
export async function shows(...locators: Locator[]): Promise<void> {
  await Promise.all(locators.map((locator) => locator.first().waitFor({ state: "visible" })));
}

/** Waits until the locator is no longer visible. */
export function hides(locator: Locator): Promise<void> {
  return locator.first().waitFor({ state: "hidden" });
}

/**
 * Rejects and names `what` if the promise takes too long, before the test's own limit, which would end the
 * browser too.
 */
export function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} did not come within ${HANG_MS} ms`)), HANG_MS);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
