import { type Browser, chromium, type Page } from "playwright-core";
import { contentOf, idOf } from "../bench/answers.ts";
import { makeData, tokenOf } from "../bench/data-folder.ts";
import { cpuMicros } from "../bench/process-stats.ts";
import { connectAgents } from "../bench/targets.ts";
import { openWorkshop, type Target } from "../bench/workshop.ts";

export interface SceneSize {
  agents: number;
  /** The rows of usage. */
  rows: number;
}

/** A server with agents and a long record, and the browser that looks at it. */
export interface SmoothScene extends AsyncDisposable {
  url: string;
  adminKey: string;
  browser: Browser;
  /** Returns the CPU time of the server, in microseconds. */
  cpuMicros(): number;
  /** Sends requests at a fixed rate until the returned function is called. */
  load(perSecond: number): () => Promise<{ sent: number; failed: number }>;
}

const USERS = 1_000;
const MODELS = Array.from({ length: 40 }, (_, index) => `model-${index}`);

export async function openScene({ agents, rows }: SceneSize, chromiumPath: string): Promise<SmoothScene> {
  const workshop = await openWorkshop();
  const data = await makeData(workshop, "data", { users: USERS, usageRows: rows });
  const target = await workshop.startOurs({ data });
  // Each agent has one model.
  const models = MODELS.slice(0, agents);
  await connectAgents(workshop, target, { protocol: "v2", count: agents, slots: 4, models });
  // All processes of Chromium draw as on a machine without a graphics card.
  const browser = await chromium.launch({ executablePath: chromiumPath });
  return {
    url: `http://127.0.0.1:${target.port}`,
    adminKey: target.adminKey,
    browser,
    cpuMicros: () => cpuMicros(target.pid),
    load: (perSecond) => startLoad(target, models, perSecond),
    async [Symbol.asyncDispose]() {
      await browser.close();
      await workshop.stopTargets();
      workshop.stop();
    },
  };
}

function startLoad(
  { port }: Target,
  models: readonly string[],
  perSecond: number,
): ReturnType<SmoothScene["load"]> {
  const pending = new Set<Promise<unknown>>();
  let [sent, failed] = [0, 0];
  const send = async () => {
    const nth = sent++;
    const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${tokenOf(nth % USERS)}`, "content-type": "application/json" },
      body: JSON.stringify({
        model: models[nth % models.length],
        messages: [{ role: "user", content: contentOf({ id: idOf(0, nth), deltas: 0, pauseMs: 0 }) }],
      }),
    });
    await response.text();
    if (!response.ok) failed++;
  };
  const timer = setInterval(() => {
    const request = send().catch(() => {
      failed++;
    });
    pending.add(request);
    void request.then(() => pending.delete(request));
  }, 1_000 / perSecond);
  return async () => {
    clearInterval(timer);
    await Promise.all(pending);
    return { sent, failed };
  };
}

/** Opens the dashboard, and signs in. */
export async function signIn({ browser, url, adminKey }: SmoothScene): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${url}/dashboard`);
  await page.getByLabel("Key", { exact: true }).fill(adminKey);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Pages", exact: true }).waitFor();
  return page;
}
