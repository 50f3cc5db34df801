import type { Page } from "playwright-core";
import { quantile } from "../bench/statistics.ts";
import { type SmoothScene, signIn } from "./scene.ts";

export interface Cost {
  /** The open page. */
  what: string;
  /** The CPU time of the server that the page adds, in each second: the median of the rounds. */
  addedMicrosPerSecond: number;
  /** The least and the most of the rounds. */
  range: [number, number];
  /** The CPU time in each second without a page. */
  baseMicrosPerSecond: number;
  /** The bytes that the server sent to the page, in each second. */
  bytesPerSecond: number;
}

interface CostOptions {
  pages: readonly string[];
  perSecond: number;
  seconds: number;
  rounds: number;
}

const SETTLE_MS = 3_000;
/** A server that has just started still compiles. */
const WARM_UP_MS = 20_000;

interface Span {
  microsPerSecond: number;
  bytesPerSecond: number;
}

/**
 * Measures the CPU time that an open page adds to that of a server under a fixed rate of requests: beside the mean of
 * two spans without a page, one before and one after it, several times. CPU time, unlike rates, depends little on other
 * work on the machine. Throws if a request failed.
 */
export async function measureCost(scene: SmoothScene, options: CostOptions): Promise<Cost[]> {
  const { pages, perSecond, seconds, rounds } = options;
  const page = await signIn(scene);
  const received = countBytes(page);
  const measure = async (): Promise<Span> => {
    await Bun.sleep(SETTLE_MS);
    const [cpu, bytes, begin] = [scene.cpuMicros(), received(), performance.now()];
    await Bun.sleep(seconds * 1_000);
    const passed = (performance.now() - begin) / 1_000;
    return {
      microsPerSecond: (scene.cpuMicros() - cpu) / passed,
      bytesPerSecond: (received() - bytes) / passed,
    };
  };
  const measureNone = async () => {
    await page.goto("about:blank");
    return measure();
  };
  const end = scene.load(perSecond);
  await Bun.sleep(WARM_UP_MS);
  const samples = new Map(pages.map((what) => [what, [] as { base: Span; open: Span }[]]));
  let before = await measureNone();
  for (let round = 1; round <= rounds; round++) {
    for (const what of pages) {
      await open(page, scene, what);
      const span = await measure();
      const after = await measureNone();
      const microsPerSecond = (before.microsPerSecond + after.microsPerSecond) / 2;
      samples.get(what)?.push({ base: { ...after, microsPerSecond }, open: span });
      process.stderr.write(`${what}: ${microsPerSecond.toFixed(0)} to ${span.microsPerSecond.toFixed(0)}\n`);
      before = after;
    }
  }
  const { failed } = await end();
  if (failed > 0) throw new Error(`${failed} requests failed.`);
  await page.close();
  return Array.from(samples, ([what, spans]) => costOf(what, spans));
}

function costOf(what: string, spans: readonly { base: Span; open: Span }[]): Cost {
  const added = spans.map(({ base, open }) => open.microsPerSecond - base.microsPerSecond);
  return {
    what,
    addedMicrosPerSecond: quantile(added, 0.5),
    range: [Math.min(...added), Math.max(...added)],
    baseMicrosPerSecond: quantile(
      spans.map(({ base }) => base.microsPerSecond),
      0.5,
    ),
    bytesPerSecond: quantile(
      spans.map((span) => span.open.bytesPerSecond),
      0.5,
    ),
  };
}

async function open(page: Page, { url }: SmoothScene, title: string): Promise<void> {
  await page.goto(`${url}/dashboard`);
  const pages = page.getByRole("navigation", { name: "Pages", exact: true });
  await pages.getByRole("link", { name: title }).click();
}

function countBytes(page: Page): () => number {
  let bytes = 0;
  page.on("response", async (response) => {
    const sizes = await response
      .request()
      .sizes()
      .catch(() => undefined);
    bytes += sizes ? sizes.responseBodySize + sizes.responseHeadersSize : 0;
  });
  page.on("websocket", (socket) => {
    socket.on("framereceived", ({ payload }) => {
      bytes += payload.length;
    });
  });
  return () => bytes;
}
