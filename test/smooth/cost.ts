import type { Page } from "playwright-core";
import { type SmoothScene, signIn } from "./scene.ts";

export interface Cost {
  what: string;
  /** The CPU time of the server, in each second. */
  microsPerSecond: number;
  /** The bytes that the server sent to the page, in each second. */
  bytesPerSecond: number;
}

const SETTLE_MS = 3_000;

/**
 * Measures the CPU time of the server with nothing but one open page, in turn with none, at rest and under a fixed rate
 * of requests. CPU time, unlike rates, depends little on other work on the machine.
 */
export async function measureCost(
  scene: SmoothScene,
  { pages, perSecond, seconds }: { pages: readonly string[]; perSecond: number; seconds: number },
): Promise<Cost[]> {
  const costs: Cost[] = [];
  const page = await signIn(scene);
  const received = countBytes(page);
  const measure = async (what: string): Promise<void> => {
    await Bun.sleep(SETTLE_MS);
    const [cpu, bytes, begin] = [scene.cpuMicros(), received(), performance.now()];
    await Bun.sleep(seconds * 1_000);
    const passed = (performance.now() - begin) / 1_000;
    const cost = {
      what,
      microsPerSecond: (scene.cpuMicros() - cpu) / passed,
      bytesPerSecond: (received() - bytes) / passed,
    };
    process.stderr.write(`${what}: ${(cost.microsPerSecond / 1_000).toFixed(2)} ms per s\n`);
    costs.push(cost);
  };
  for (const rate of [0, perSecond]) {
    const end = rate > 0 ? scene.load(rate) : async () => 0;
    const at = rate > 0 ? `${rate} requests per s` : "at rest";
    await page.goto("about:blank");
    await measure(`none, ${at}`);
    for (const title of pages) {
      await page.goto(`${scene.url}/dashboard`);
      await page
        .getByRole("navigation", { name: "Pages", exact: true })
        .getByRole("link", { name: title })
        .click();
      await measure(`${title}, ${at}`);
    }
    await page.goto("about:blank");
    await measure(`none again, ${at}`);
    await end();
  }
  await page.close();
  return costs;
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
