import { beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { GUIDES } from "../../src/dashboard/pages/connect/guides/guides.ts";
import { inBrowser, shows } from "../support/browser.ts";
import {
  buildTranslation,
  collectAnswers,
  MARKED,
  translateDashboard,
  unmarkedTexts,
} from "../support/browser-texts.ts";
import { type Scene, startScene } from "../support/scene.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../support/v2-agent.ts";

/** The pages with texts that are not in the table yet. */
const LEFT: ReadonlySet<string> = new Set();

/** Texts that are the same in every language, beside those that the server answers. */
const SAME_EVERYWHERE = new Set([
  "chatgpt-api-server",
  ...["llama3.2", "chat/completions", "/api/ask", "req_…", "Ctrl K"],
  // Clients and systems have names.
  ...GUIDES.map(({ title }) => title),
  ...["Linux", "macOS", "Windows"],
]);

/** Parts of a line that are data each: `name: Ann, models: m`, or a version and a protocol. */
const partsOf = (text: string) => text.split(/[,·:()/≈\n]|\s{2,}/).map((part) => part.trim());

/** Names of actions, and of all that begin alike. */
const CODE = /^[a-z_]+\.(\*|[a-z_]+)$|^(backup|restore)$/;

/** Starts a server that has something to show on each page. */
async function startBusyScene(): Promise<{ scene: Scene; token: string }> {
  const scene = await startScene();
  const good = await connectV2Agent(scene.url, {
    hello: { ...V2_HELLO, name: "good box", models: [{ id: "good" }] },
    onAsk: ({ ask }, agent) => streamPieces(agent, ask, ["well"]),
  });
  const broken = await connectV2Agent(scene.url, {
    hello: { ...V2_HELLO, name: "broken box", models: [{ id: "broken" }, { id: "two" }, { id: "three" }] },
    onAsk: ({ ask }, agent) =>
      agent.say({
        type: "fail",
        ask,
        status: 500,
        error: { message: "CUDA out of memory" },
        retryable: true,
      }),
  });
  scene.after(() => Promise.all([good.stop(), broken.stop()]));
  const post = (path: string, body: object) =>
    scene.request<{ token: string }>(path, {
      method: "POST",
      headers: { authorization: scene.adminKey, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const { token } = (await post("/admin/users/add", { name: "Ann" })).body;
  scene.server.keepSecret(token);
  await post("/admin/agents/keys", { name: "gpu box", models: ["good"], priority: 2, tags: ["home"] });
  await post("/admin/pairings", { name: "laptop" });
  for (const model of ["good", "broken", "broken", "broken", "broken"])
    await scene.ask({ content: "hello", model });
  return { scene, token };
}

/** A page of the dashboard in the translation, signed in, and a function that reports its untranslated texts. */
async function openTranslated(open: (url: string) => Promise<Page>, scene: Scene, key: string) {
  const page = await open(`${scene.url}/health`);
  const readAnswers = collectAnswers(page);
  await translateDashboard(page);
  const check = async (what: string, left: string[]) => {
    const shown = await unmarkedTexts(page);
    const answers = await readAnswers();
    const isData = (part: string) =>
      !/\p{L}/u.test(part) || answers.has(part) || SAME_EVERYWHERE.has(part) || CODE.test(part);
    const found = shown.filter((text) => !isData(text) && !partsOf(text).every(isData));
    left.push(...found.map((text) => `${what}: ${text}`));
  };
  await page.goto(`${scene.url}/dashboard`);
  await shows(page.getByLabel(MARKED["signIn.key"]));
  const signIn = async () => {
    await page.getByLabel(MARKED["signIn.key"]).fill(key);
    await page.getByRole("button", { name: MARKED["signIn.submit"] }).click();
    await shows(page.getByRole("navigation", { name: MARKED["frame.pages"] }));
  };
  return { page, check, signIn };
}

/** Goes to a page, and waits until it has loaded. */
async function visit(page: Page, scene: Scene, path: string): Promise<void> {
  await page.goto(`${scene.url}/dashboard#/${path}`);
  await shows(page.getByRole("heading", { level: 1 }));
  await page.waitForLoadState("networkidle");
}

inBrowser("dashboard: texts", (browser) => {
  // Agents that connect before would be lost, as the build blocks this process.
  beforeAll(async () => void (await buildTranslation()));

  test("a translation of the table translates every page of an administrator", async () => {
    const { scene } = await startBusyScene();
    const { page, check, signIn } = await openTranslated(browser.open, scene, scene.adminKey);
    const left: string[] = [];
    await check("sign-in", left);
    await signIn();
    const links = page.getByRole("navigation", { name: MARKED["frame.pages"] }).getByRole("link");
    const hrefs = await links.evaluateAll((all) => all.map((link) => link.getAttribute("href") ?? ""));
    expect(hrefs.length).toBeGreaterThan(8);
    const paths = hrefs.map((href) => href.replace("#/", "")).filter((path) => !LEFT.has(path));
    for (const path of [
      ...paths,
      "sessions",
      "no-such-page",
      "requests?outcome=failed",
      "audit?search=nothing",
    ]) {
      await visit(page, scene, path);
      await check(path, left);
    }
    expect(left).toEqual([]);
  });

  test("a translation of the table translates the dialogs, and the guide to an agent", async () => {
    const { scene } = await startBusyScene();
    const { page, check, signIn } = await openTranslated(browser.open, scene, scene.adminKey);
    await signIn();
    const left: string[] = [];
    const open = async (button: string | RegExp) => {
      await page.getByRole("button", { name: button }).first().click();
      await shows(page.getByRole("dialog"));
      await page.waitForLoadState("networkidle");
      await check(String(button), left);
    };
    const close = () => page.keyboard.press("Escape");
    await visit(page, scene, "agents");
    for (const name of ["broken box", "good box", MARKED["agents.pair"], MARKED["agentKeys.create"]]) {
      await open(name);
      await close();
    }
    for (const start of ["Disconnect good box", "Edit key gpu box", "Revoke key gpu box"]) {
      await open(new RegExp(start));
      await close();
    }
    await page.keyboard.press("Control+k");
    await check("search", left);
    await close();
    await visit(page, scene, "agents/join");
    for (const kind of await page.locator("input[name=kind]").all()) {
      await kind.check({ force: true });
      await check(`join ${await kind.inputValue()}`, left);
    }
    await visit(page, scene, "requests");
    await page.getByRole("rowheader").first().getByRole("link").click();
    await shows(page.getByRole("dialog"));
    await check("a request", left);
    expect(left).toEqual([]);
  });

  test("a translation of the table translates the pages of a user", async () => {
    const { scene, token } = await startBusyScene();
    const { page, check, signIn } = await openTranslated(browser.open, scene, token);
    await signIn();
    const left: string[] = [];
    for (const path of ["requests", "sessions"]) {
      await visit(page, scene, path);
      await check(path, left);
    }
    expect(left).toEqual([]);
  });
});
