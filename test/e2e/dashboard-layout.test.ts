import { expect, test } from "bun:test";
import type { Locator } from "playwright-core";
import { hides, inBrowser, shows, type TestBrowser } from "../support/browser.ts";
import { checkAccessibility } from "../support/browser-accessibility.ts";
import { goTo, openDashboard } from "../support/browser-dashboard.ts";
import { type Scene, useScene } from "../support/scene.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../support/v2-agent.ts";

const LONG = `name-${"w".repeat(90)}-end`;
const RIGHT_TO_LEFT = "محمد عبد الرحمن الخوارزمي بن دود الأندلسي القرطبي الكبير";
const MODEL = `hf.co/somebody/${"Model-Name-".repeat(7)}GGUF:Q4_K_M`;
const SIZES = {
  desktop: { width: 1440, height: 900 },
  laptop: { width: 1280, height: 800 },
  tablet: { width: 820, height: 1180 },
  phone: { width: 360, height: 740 },
};

/** The elements beyond the right edge of the window that no scroll can reach, each with its right edge. */
const OUTSIDE = `(() => {
  const isClipped = (element) => {
    for (let box = element.parentElement; box && box !== document.body; box = box.parentElement)
      if (getComputedStyle(box).overflowX !== "visible") return true;
    return false;
  };
  return [...document.querySelectorAll("body *")]
    .filter((element) => {
      const { width, height, right } = element.getBoundingClientRect();
      return width > 0 && height > 0 && right > innerWidth + 1 && !isClipped(element);
    })
    .map((element) => element.tagName + "." + element.className + " ends at " + Math.round(element.getBoundingClientRect().right));
})()`;

/** The names of the tables that must be scrolled sideways. */
const WIDE_TABLES = `[...document.querySelectorAll(".table-scroll:has(table)")]
  .filter((box) => box.scrollWidth > box.clientWidth + 1)
  .map((box) => box.getAttribute("aria-label") ?? box.className)`;

/** How many pixels the page can be scrolled sideways. */
const SIDEWAYS = "document.documentElement.scrollWidth - innerWidth";

/** The texts that end with an ellipsis although nothing shows the whole of them on hover. */
const CUT = `[...document.querySelectorAll("main *, dialog *")]
  .filter((one) => !one.matches("input, select, textarea"))
  .filter((one) => getComputedStyle(one).textOverflow === "ellipsis" && one.scrollWidth > one.clientWidth + 1)
  .filter((one) => !one.closest("[title]") && !one.querySelector("[title]"))
  .map((one) => one.className + ": " + one.textContent.slice(0, 40))`;

/** Locates what the box cuts off, or what lies beyond its right edge. */
const hiddenIn = (box: Locator): Promise<string[]> =>
  box.evaluate((element) => {
    const edge = element.getBoundingClientRect().right;
    return [...element.querySelectorAll("*")]
      .filter((one) => one.getBoundingClientRect().right > edge + 1)
      .map((one) => `${one.tagName}.${one.className}`);
  });

interface Crowd {
  user: { user_id: string; token: string };
}

async function fill(scene: Scene): Promise<Crowd> {
  const names = [LONG, RIGHT_TO_LEFT];
  for (const name of names) {
    const agent = await connectV2Agent(scene.url, {
      hello: { ...V2_HELLO, name, models: [{ id: MODEL }, { id: "m" }] },
      onAsk: ({ ask }, self) => streamPieces(self, ask, ["fine"]),
    });
    scene.after(() => agent.stop());
  }
  const headers = { authorization: scene.adminKey };
  const send = (path: string, method: string, body: object) =>
    scene.request(path, { method, headers, body: JSON.stringify(body) });
  await send("/admin/settings", "PATCH", {
    prices: { currency: "EUR", models: { [MODEL]: { input: 3, output: 12 } } },
    modelAliases: { [`alias-${LONG}`]: MODEL },
    fallbacks: { [MODEL]: ["m"] },
  });
  const users = [];
  for (const name of names) {
    const limits = { requests_per_minute: 600, tokens_per_day: 2_000_000, max_parallel: 8, budget_month: 40 };
    users.push((await send("/admin/users/add", "POST", { name, models: [MODEL, "m"], ...limits })).body);
  }
  const [user] = users as Crowd["user"][];
  if (!user) throw new Error("no user was added");
  await scene.ask({ content: "hello", model: MODEL, stream: true }, { key: user.token });
  await scene.ask({ content: "hello", model: "nowhere", stream: true }, { key: user.token });
  return { user };
}

const pagesFor = ({ user }: Crowd): [address: string, heading: string, table?: string][] => [
  ["overview", "Overview", "Recent requests"],
  ["traffic", "Traffic", "Traffic by agent"],
  ["requests", "Requests", "Requests"],
  [`requests?model=${encodeURIComponent(MODEL)}`, "Requests", "Requests"],
  ["agents", "Agents", "Connected agents"],
  ["agents/join", "Connect an agent"],
  ["models", "Models", "Models"],
  [`models/${encodeURIComponent(MODEL)}`, MODEL],
  ["users", "Users", "Users"],
  [`users/${user.user_id}`, LONG, "Usage by day"],
  ["usage?by=user", "Usage", "Usage by user"],
  ["prices", "Prices", "Price list"],
  ["try", "Try it"],
  ["connect", "Connect"],
  ["settings", "Settings", "Settings in effect"],
  ["audit", "Audit log", "Changes by administrators, newest first"],
  ["sessions", "Sessions", "Signed-in browsers"],
];

/** Opens each page at the size, and returns what is wider than there is room for. */
async function findWide(browser: TestBrowser, scene: Scene, size: keyof typeof SIZES): Promise<string[]> {
  const crowd = await fill(scene);
  const page = await openDashboard(browser, scene, { phone: size === "phone" || size === "tablet" });
  await page.setViewportSize(SIZES[size]);
  const found: string[] = [];
  for (const [address, heading, table] of pagesFor(crowd)) {
    await page.goto(`${scene.url}/dashboard#/${address}`);
    await shows(page.getByRole("heading", { level: 1, name: heading, exact: true }));
    if (table !== undefined) await shows(page.getByRole("table", { name: table }));
    for (const one of await page.evaluate<string[]>(OUTSIDE)) found.push(`${address}: ${one}`);
    const sideways = await page.evaluate<number>(SIDEWAYS);
    if (sideways > 0) found.push(`${address}: scrolls sideways by ${sideways} pixels`);
    for (const one of await page.evaluate<string[]>(CUT)) found.push(`${address}: cut ${one}`);
    if (size === "tablet") continue;
    for (const one of await page.evaluate<string[]>(WIDE_TABLES)) found.push(`${address}: table ${one}`);
  }
  return found;
}

inBrowser("dashboard: layout", (browser) => {
  const scene = useScene(["--echo"]);

  test.each(Object.keys(SIZES) as (keyof typeof SIZES)[])(
    "no page and no table is wider than a %s, however long the names are",
    async (size) => {
      expect(await findWide(browser, scene, size)).toEqual([]);
    },
  );

  test.each(["desktop", "phone"] as const)("the dialogs on a %s hold a long name", async (size) => {
    const { user } = await fill(scene);
    const page = await openDashboard(browser, scene, { phone: size === "phone" });
    await page.setViewportSize(SIZES[size]);
    await page.goto(`${scene.url}/dashboard#/users/${user.user_id}`);
    for (const name of ["Edit", "Rotate token", "Disable", "Delete"]) {
      await page.getByRole("button", { name, exact: true }).click();
      const dialog = page.getByRole("dialog");
      await shows(dialog);
      expect(await hiddenIn(dialog)).toEqual([]);
      await page.keyboard.press("Escape");
      await hides(dialog);
    }
  });

  test("the facts about a model stand each in a row of their own", async () => {
    await fill(scene);
    const page = await openDashboard(browser, scene);
    await page.goto(`${scene.url}/dashboard#/models/${encodeURIComponent(MODEL)}`);
    const title = page.getByRole("term").filter({ hasText: "Context length" });
    const value = page.getByRole("term").filter({ hasText: "Context length" }).locator("+ dd");
    const [left, right] = [await title.boundingBox(), await value.boundingBox()];
    expect(right?.x).toBeGreaterThanOrEqual((left?.x ?? 0) + (left?.width ?? 0));
    expect(Math.abs((right?.y ?? 0) - (left?.y ?? 0))).toBeLessThan(8);
  });

  test("a name from right to left keeps its beginning where it is cut", async () => {
    await fill(scene);
    const page = await openDashboard(browser, scene);
    await goTo(page, "Users");
    const link = page
      .getByRole("table", { name: "Users" })
      .getByRole("link", { name: RIGHT_TO_LEFT })
      .first();
    await shows(link);
    expect(await link.evaluate((element) => element.matches(":dir(rtl)"))).toBe(true);
  });

  test.each(["desktop", "phone"] as const)(
    "the command palette on a %s shows the whole of a long name that is chosen",
    async (size) => {
      await fill(scene);
      const page = await openDashboard(browser, scene, { phone: size === "phone" });
      // The list is lower than what it has.
      await page.setViewportSize({ ...SIZES[size], height: 220 });
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox").fill(LONG);
      const chosen = page.getByRole("option", { selected: true });
      await shows(chosen.getByTitle(LONG));
      // At one moment, as the list still grows.
      const [option, name, cutPixels] = await chosen.evaluate((box) => {
        const [whole = box] = box.querySelectorAll("[title]");
        const heights = [box, whole].map((one) => one.getBoundingClientRect().height);
        return [...heights, whole.scrollWidth - whole.clientWidth];
      });
      expect(name).toBeLessThanOrEqual(option ?? 0);
      expect(cutPixels).toBe(0);
    },
  );

  test("a phone has the colors, the sessions and the documents in a menu", async () => {
    const page = await openDashboard(browser, scene, { phone: true });
    const theme = () => page.evaluate("document.documentElement.dataset.theme");
    expect(await theme()).toBe("light");
    await page.getByRole("button", { name: "Account", exact: true }).tap();
    await shows(page.getByRole("link", { name: "API reference" }));
    await page.getByRole("radio", { name: "Dark" }).tap();
    expect(await theme()).toBe("dark");
    await checkAccessibility(page);
    expect(await page.evaluate<string[]>(OUTSIDE)).toEqual([]);
    await page.getByRole("link", { name: "Administrator" }).tap();
    await shows(page.getByRole("heading", { level: 1, name: "Sessions" }));
  });
});
