import type { Page } from "playwright-core";
import { type SmoothScene, signIn } from "./scene.ts";

export const PAGES = [
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
] as const;

export interface PageTasks {
  page: string;
  /** The number of tasks of the page's main thread that took longer than 50 ms, and than 100 ms. */
  over50: number;
  over100: number;
  longestMs: number;
  /** The step that began before the longest. */
  during: string;
}

const WATCH_MS = 4_000;
const STEP_MS = 500;

/**
 * Opens each page in turn while requests are answered, scrolls, filters and opens what there is, and measures the tasks of
 * its main thread. Counts their CPU time, so other work on the machine does not make them longer.
 */
export async function measureTasks(
  scene: SmoothScene,
  { pages, throttling, perSecond }: { pages: readonly string[]; throttling: number; perSecond: number },
): Promise<PageTasks[]> {
  const page = await signIn(scene);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: throttling });
  const endLoad = scene.load(perSecond);
  const measured: PageTasks[] = [];
  for (const title of pages) {
    await scene.browser.startTracing(page, { categories: ["toplevel", "blink.user_timing"] });
    await usePage(page, title);
    const trace = JSON.parse((await scene.browser.stopTracing()).toString());
    const tasks = { page: title, ...tasksIn(trace.traceEvents) };
    process.stderr.write(`${title}: ${tasks.longestMs.toFixed(0)} ms (${tasks.during})\n`);
    measured.push(tasks);
  }
  await endLoad();
  await page.close();
  return measured;
}

async function usePage(page: Page, title: string): Promise<void> {
  const step = async (name: string, run: () => Promise<unknown>) => {
    await page.evaluate((mark) => performance.mark(mark), `step:${name}`);
    // What a page does not have is left out.
    await run().catch(() => undefined);
    await page.waitForTimeout(STEP_MS);
  };
  const link = page
    .getByRole("navigation", { name: "Pages", exact: true })
    .getByRole("link", { name: title });
  await step("open", () => link.click());
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
  await step("watch", () => page.waitForTimeout(WATCH_MS));
  await step("scroll", () => scrollThrough(page));
  const main = page.getByRole("main");
  for (const field of (await main.getByRole("searchbox").all()).slice(0, 2))
    await step("search", async () => {
      await field.pressSequentially("bench-1", { timeout: 5_000 });
      await field.fill("");
    });
  for (const select of (await main.locator("select:visible").all()).slice(0, 2))
    for (const nth of [1, 2, 3, 0])
      await step(`select ${nth}`, () => select.selectOption({ index: nth }, { timeout: 2_000 }));
  for (const radio of (await main.getByRole("radio").all()).slice(0, 5))
    await step("radio", () => radio.check({ timeout: 2_000, force: true }));
  for (let nth = 0; nth < 4; nth++) {
    const more = main.getByRole("button", { name: /^(Show|Load).*more|^Show \d|^Next|^Older/ }).first();
    if (await more.isVisible()) await step("more", () => more.click({ timeout: 2_000 }));
  }
  for (const summary of (await main.locator("summary:visible").all()).slice(0, 2))
    await step("table", () => summary.click({ timeout: 2_000 }));
  const detail = main
    .getByRole("link", { name: /details/ })
    .or(main.locator("tbody button:visible"))
    .or(main.locator("tbody a:visible"))
    .first();
  if (await detail.isVisible()) await step("details", () => detail.click({ timeout: 2_000 }));
  await step("watch details", () => page.waitForTimeout(WATCH_MS / 2));
  await step("close", () => page.keyboard.press("Escape"));
  await step("palette", async () => {
    await page.keyboard.press("Control+k");
    await page.keyboard.type("bench", { delay: 30 });
    await page.keyboard.press("Escape");
  });
}

async function scrollThrough(page: Page): Promise<void> {
  await page.mouse.move(700, 500);
  for (let nth = 0; nth < 10; nth++) {
    await page.mouse.wheel(0, 900);
    await page.waitForTimeout(50);
  }
  await page.mouse.wheel(0, -20_000);
}

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  ts: number;
  /** The CPU time of the thread, in microseconds. */
  tdur?: number;
  args: { name?: string };
}

function tasksIn(events: readonly TraceEvent[]): Omit<PageTasks, "page"> {
  const mains = new Set(
    events.flatMap(({ name, args, pid, tid }) =>
      name === "thread_name" && args.name === "CrRendererMain" ? [`${pid} ${tid}`] : [],
    ),
  );
  const steps = events.filter(({ name }) => name.startsWith("step:")).toSorted((a, b) => a.ts - b.ts);
  const tasks = events
    .filter(({ name, pid, tid }) => name === "ThreadControllerImpl::RunTask" && mains.has(`${pid} ${tid}`))
    .map(({ tdur = 0, ts }) => ({ ms: tdur / 1_000, ts }))
    .toSorted((a, b) => b.ms - a.ms);
  const over = (limitMs: number) => tasks.filter(({ ms }) => ms > limitMs).length;
  const [longest] = tasks;
  const during = longest && steps.findLast(({ ts }) => ts <= longest.ts + 1_000);
  return {
    over50: over(50),
    over100: over(100),
    longestMs: longest?.ms ?? 0,
    during: during?.name.slice("step:".length) ?? "",
  };
}
