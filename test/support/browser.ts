import { afterAll, afterEach, beforeAll, onTestFinished } from "bun:test";
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright-core";
import { type BrowserFaults, watchFaults } from "./browser-faults.ts";
import { describeWith, findProgram } from "./programs.ts";
import { HANG_MS } from "./until.ts";

const CHROMIUM = findProgram("chromium");

export interface OpenOptions {
  /** Default: light. */
  dark?: boolean;
  /** 360 pixels wide, and touched instead of clicked. Default: a desktop's window. */
  phone?: boolean;
  /** As with `allow`, from the first moment. */
  allow?: RegExp;
}

export interface TestBrowser {
  /**
   * A page at the address, in a context of its own: no cookies, nothing stored. Tabs beside it come from
   * `page.context()`. When the test ends it fails for all that `watchFaults` found in it.
   */
  open(url: string, options?: OpenOptions): Promise<Page>;
  /** The test provokes that console error: it is none, in any of the test's pages from now on. */
  allow(message: RegExp): void;
}

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };

/** Defines tests that share one Chromium. Without it, all tests of the dashboard are skipped with one line. */
export function inBrowser(what: string, tests: (browser: TestBrowser) => void): void {
  describeWith("chromium", CHROMIUM ? what : "the dashboard in a browser", () => tests(useBrowser()));
}

/** One Chromium for the tests of the file, or of the `describe`, in whose body it is called. */
export function useBrowser(): TestBrowser {
  let browser: Browser | undefined;
  let opened: { context: BrowserContext; faults: BrowserFaults; found: readonly string[] }[] = [];
  beforeAll(async () => {
    if (CHROMIUM === undefined) return;
    const args = [
      // Nothing but this machine can be reached, whatever a page or Chromium itself wants.
      "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1, EXCLUDE localhost",
      // One process less, which takes an eighth of the time.
      "--in-process-gpu",
    ];
    browser = await chromium.launch({ executablePath: CHROMIUM, args, timeout: HANG_MS });
  });
  afterAll(() => browser?.close());
  // Before the servers of the test are stopped, which pages would complain of.
  afterEach(async () => {
    const all = opened;
    opened = [];
    for (const one of all) {
      one.found = await one.faults.list();
      await one.context.close();
    }
  });

  return {
    async open(url, { dark = false, phone = false, allow } = {}) {
      if (browser === undefined) throw new Error("the browser runs only while the tests do");
      const context = await browser.newContext({
        colorScheme: dark ? "dark" : "light",
        reducedMotion: "reduce",
        viewport: phone ? PHONE : DESKTOP,
        hasTouch: phone,
        permissions: ["clipboard-read", "clipboard-write"],
        // Those of tests are by an authority that the browser does not know.
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
      await page.goto(url);
      return page;
    },
    allow(message) {
      for (const { faults } of opened) faults.allow(message);
    },
  };
}

/** Waits until each can be seen; rejects with what is missing. */
export async function shows(...locators: Locator[]): Promise<void> {
  await Promise.all(locators.map((locator) => locator.first().waitFor({ state: "visible" })));
}

/** Waits until it cannot be seen any more. */
export function hides(locator: Locator): Promise<void> {
  return locator.first().waitFor({ state: "hidden" });
}

/** Rejects with `what` is missing while the test has time left: one that runs out of it takes the browser with it. */
export function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} did not come within ${HANG_MS} ms`)), HANG_MS);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
