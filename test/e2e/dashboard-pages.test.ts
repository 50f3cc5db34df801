import { test } from "bun:test";
import type { Page } from "playwright-core";
import { inBrowser, shows } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { chooseIn, openDashboard } from "../support/browser-dashboard.ts";
import { type Scene, startScene } from "../support/scene.ts";
import { connectV2Agent, streamPieces, V2_HELLO, type V2AgentOptions } from "../support/v2-agent.ts";

type Drawn = (page: Page) => Promise<void>;

const hasTitle =
  (name: string): Drawn =>
  (page) =>
    shows(page.getByRole("heading", { level: 1, name }));
const hasText =
  (text: string): Drawn =>
  (page) =>
    shows(page.getByText(text));

/** The pages by their addresses, with what shows that they are complete. */
const ADMIN_PAGES: Record<string, Drawn> = {
  overview: (page) => shows(page.getByText("Live", { exact: true })),
  agents: hasText("There are no agent keys besides the main key."),
  "agents/join": hasText("Paste this line"),
  models: hasText("There are no fallbacks."),
  users: hasTitle("Users"),
  usage: hasText("No requests in this period."),
  traffic: hasText("No request has ended in this period."),
  requests: hasText("No request has ended yet."),
  try: hasTitle("Try it"),
  connect: hasText("Address of this server"),
  settings: (page) => shows(page.getByRole("table", { name: "Settings in effect" })),
  audit: (page) => shows(page.getByRole("link", { name: /CSV$/ })),
  sessions: hasText("This browser"),
  "no-such-page": hasText("There is no page at this address."),
};

const LONG = "a-name-that-is-longer-than-any-phone-is-wide-and-has-no-place-to-break-it";

/** The pages of a busy server that show requests and what became of them. */
const happeningPages = (): Record<string, Drawn> => ({
  overview: (page) => shows(page.getByRole("table", { name: "Recent requests" })),
  usage: (page) => shows(page.getByRole("table", { name: /^Usage/ })),
  traffic: (page) => shows(page.getByRole("table", { name: "Traffic by agent" })),
  requests: (page) => shows(page.getByRole("table", { name: "Requests, newest first" })),
  "requests?outcome=failed&model=broken": hasText("Only"),
  "models/broken": (page) => shows(page.getByRole("table", { name: "Last failures" })),
});

/** All other pages of a busy server. */
const ownedPages = (userId: string): Record<string, Drawn> => {
  const others = Object.entries(ADMIN_PAGES).filter(([path]) => !Object.hasOwn(happeningPages(), path));
  return {
    ...Object.fromEntries(others),
    agents: (page) => shows(page.getByRole("table", { name: "Connected agents" }).getByText("tired")),
    models: (page) => shows(page.getByRole("table", { name: "Models" }).getByText("tired")),
    [`models/${LONG}`]: (page) => shows(page.getByRole("table", { name: "Agents with this model" })),
    users: (page) => shows(page.getByRole("table", { name: "Users" })),
    [`users/${userId}`]: hasTitle("Ann"),
  };
};

async function visit(page: Page, { url }: Scene, pages: Record<string, Drawn>): Promise<void> {
  for (const [path, drawn] of Object.entries(pages)) {
    await page.goto(`${url}/dashboard#/${path}`);
    await drawn(page);
    await check(page, path);
  }
}

async function check(page: Page, what: string): Promise<void> {
  try {
    await checkAccessibility(page);
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Starts a server with agents and users of several kinds, and requests with several results. */
async function startBusyScene(): Promise<{ scene: Scene; user: { user_id: string; token: string } }> {
  const scene = await startScene();
  const connect = async (hello: object, onAsk?: V2AgentOptions["onAsk"]) => {
    const agent = await connectV2Agent(scene.url, {
      hello: { ...V2_HELLO, ...hello },
      ...(onAsk && { onAsk }),
    });
    scene.after(() => agent.stop());
    return agent;
  };
  await connect({ name: "quick" }, ({ ask }, agent) => streamPieces(agent, ask, ["all ", "is well"]));
  await connect({ name: LONG, models: [{ id: LONG }, { id: "two" }, { id: "three" }] });
  (await connect({ name: "tired", models: [{ id: "n" }] })).say({ type: "pause" });
  await connect({ name: "broken", models: [{ id: "broken" }] }, ({ ask }, agent) => {
    const error = { message: "no" };
    agent.say({ type: "fail", ask, status: 400, error, retryable: false });
  });
  await scene.firefox();

  const add = (body: object) =>
    scene.request<{ user_id: string; token: string }>("/admin/users/add", {
      method: "POST",
      headers: { authorization: scene.adminKey },
      body: JSON.stringify(body),
    });
  const { body: user } = await add({ name: "Ann", requests_per_minute: 60, tokens_per_day: 9000 });
  await add({ name: LONG, models: [LONG, "m"], max_parallel: 2, expires_at: "2020-01-01T00:00:00Z" });
  await add({});
  await add({ name: "<img src=x onerror=alert(1)>" });
  const asks = ["m", "m", "broken", "m"].map((model) =>
    scene.ask({ content: "hello", model, stream: true }, { key: user.token }),
  );
  await Promise.all(asks);
  // Two more requests keep running.
  for (const model of [LONG, LONG]) void scene.ask({ content: "hello", model }).catch(() => undefined);
  return { scene, user };
}

inBrowser("dashboard: accessibility", (browser) => {
  test("every page of an empty server is accessible and fits a phone", async () => {
    const scene = await startScene();
    const page = await openDashboard(browser, scene);
    await visit(page, scene, ADMIN_PAGES);
  });

  test.each<[what: string, pages: (userId: string) => Record<string, Drawn>]>([
    ["what happens", happeningPages],
    ["what there is", ownedPages],
  ])("every page of a busy server that shows %s is accessible and fits a phone", async (_, pages) => {
    const { scene, user } = await startBusyScene();
    const page = await openDashboard(browser, scene);
    await visit(page, scene, pages(user.user_id));
  });

  test("every dialog is accessible and fits a phone", async () => {
    const { scene, user } = await startBusyScene();
    const page = await openDashboard(browser, scene);
    const dialog = page.getByRole("dialog");
    const open = async (path: string, button: string) => {
      await page.goto(`${scene.url}/dashboard#/${path}`);
      await page.getByRole("button", { name: button, exact: true }).click();
      await shows(dialog);
      await check(page, button);
    };
    await open("users", "Add a user");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await shows(page.getByRole("button", { name: "Copy the token" }));
    await check(page, "the token");
    await page.keyboard.press("Escape");
    for (const button of ["Edit", "Rotate token", "Disable", "Delete"]) {
      await open(`users/${user.user_id}`, button);
      await page.keyboard.press("Escape");
    }
    for (const button of ["Add an alias", "Add fallbacks"]) {
      await open("models", button);
      await page.keyboard.press("Escape");
    }
    for (const button of ["Create a key", LONG, `Disconnect ${LONG}`]) {
      await open("agents", button);
      await page.keyboard.press("Escape");
    }
  });

  test("a user's pages are accessible and fit a phone in the middle of a conversation", async () => {
    const { scene, user } = await startBusyScene();
    const page = await openDashboard(browser, scene, { key: user.token });
    await visit(page, scene, {
      usage: hasText("Your limits"),
      requests: hasTitle("Requests"),
      connect: hasText("Rotate my token"),
      try: hasTitle("Try it"),
    });
    await chooseIn(page, "Model", "m");
    await page.getByLabel("Your message").fill(`${LONG} ${LONG}`);
    await page.getByRole("button", { name: "Send" }).click();
    await shows(page.getByRole("button", { name: "Try again" }));
    browser.allow(/status of 400/);
    await chooseIn(page, "Model", "broken");
    await page.getByLabel("Your message").fill("and now?");
    await page.getByRole("button", { name: "Send" }).click();
    await shows(page.getByRole("alert"));
    await check(page, "the conversation");
  });
});
