import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { hides, inBrowser, shows } from "../support/browser.ts";
import { openDashboard } from "../support/browser-dashboard.ts";
import { useScene } from "../support/scene.ts";
import { connectV2Agent, streamPieces } from "../support/v2-agent.ts";

const STEPS_MAX = 80;

/**
 * Returns the role and name of the focused element, as in `button "Sign out"`; empty if nothing is focused.
 */
async function focused(page: Page): Promise<string> {
  const element = page.locator(":focus");
  if ((await element.count()) === 0) return "";
  return (await element.ariaSnapshot()).replace(/^- '?/, "").split(/:?\n|: |'?:$/)[0] ?? "";
}

/** Presses Tab until the wanted element has the focus. */
async function tabTo(page: Page, wanted: string): Promise<void> {
  const passed: string[] = [];
  for (let steps = 0; steps < STEPS_MAX; steps++) {
    await page.keyboard.press("Tab");
    const now = await focused(page);
    if (now.startsWith(wanted)) return;
    passed.push(now);
  }
  throw new Error(`Tab never reached ${wanted}. It reached ${passed.join(", ")}.`);
}

async function follow(page: Page, wanted: string): Promise<void> {
  await tabTo(page, wanted);
  await page.keyboard.press("Enter");
}

const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });

interface Stop {
  html: string;
  /** Whether the focus is visible. */
  isVisible: boolean;
}

/** Returns the focused element; null if nothing is focused, or if the element was focused before. */
const NEW_STOP = `(() => {
  const { activeElement: element, body } = document;
  const stops = (globalThis.stops ??= new WeakSet());
  if (element === body || stops.has(element)) return null;
  stops.add(element);
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  const isVisible = (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
  return { isVisible, html: element.outerHTML.slice(0, 200) };
})()`;

/** Returns every element that Tab reaches. */
async function walk(page: Page): Promise<Stop[]> {
  const stops: Stop[] = [];
  for (let steps = 0; steps < STEPS_MAX; steps++) {
    await page.keyboard.press("Tab");
    const stop: Stop | null = await page.evaluate(NEW_STOP);
    if (stop) stops.push(stop);
    else if (stops.length > 1) break;
  }
  return stops;
}

inBrowser("dashboard: keyboard", (browser) => {
  const scene = useScene();

  test("signing in, skipping the navigation and adding a user work by keyboard", async () => {
    const page = await browser.open(`${scene.url}/dashboard`);
    await shows(page.getByLabel("Key", { exact: true }));
    expect(await focused(page)).toStartWith('textbox "Key"');
    await page.keyboard.type(scene.adminKey);
    await page.keyboard.press("Enter");
    await shows(heading(page, "Overview"));

    await tabTo(page, 'button "Skip to main content"');
    await shows(page.getByRole("button", { name: "Skip to main content" }));
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.localName")).toBe("main");

    await page.reload();
    await shows(heading(page, "Overview"));
    await follow(page, 'link "Users"');
    await shows(page.locator("h1:focus").getByText("Users"));
    const models = page.waitForResponse("**/v1/models");
    await follow(page, 'button "Add a user"');
    await shows(page.getByRole("dialog", { name: "Add a user" }));
    await page.keyboard.type("K");
    // The arriving models render the form again, which must not take the focus away.
    await (await models).finished();
    await page.keyboard.type("im");
    expect(await focused(page)).toStartWith('textbox "Name"');
    await page.keyboard.press("Enter");
    await shows(page.getByRole("dialog", { name: "Token for Kim" }));
    await follow(page, 'button "Copy the token"');
    await shows(page.getByText("Copied the token."));
    scene.server.keepSecret(String(await page.evaluate("navigator.clipboard.readText()")));
    await page.keyboard.press("Escape");
    await hides(page.getByRole("dialog"));
    await follow(page, 'link "Kim"');
    await shows(heading(page, "Kim"));
  });

  test("the focus stays within an open dialog, and returns to the button that opened it", async () => {
    const page = await openDashboard(browser, scene);
    await page.goto(`${scene.url}/dashboard#/users`);
    await shows(heading(page, "Users"));
    await follow(page, 'button "Add a user"');
    await shows(page.getByRole("dialog"));
    for (let steps = 0; steps < 20; steps++) {
      await page.keyboard.press("Tab");
      expect(await page.locator(":focus:not(dialog *):not(dialog):not(body)").count()).toBe(0);
    }
    await page.keyboard.press("Escape");
    await hides(page.getByRole("dialog"));
    expect(await focused(page)).toBe('button "Add a user"');
  });

  test("sending a message and choosing a code sample work by keyboard", async () => {
    const agent = await connectV2Agent(scene.url, {
      onAsk: ({ ask }, self) => streamPieces(self, ask, ["yes"]),
    });
    scene.after(() => agent.stop());
    const page = await openDashboard(browser, scene);
    await follow(page, 'link "Try it"');
    await shows(page.getByLabel("Your message"));
    await tabTo(page, 'textbox "Your message"');
    await page.keyboard.type("Are you there?");
    await follow(page, 'button "Send"');
    await shows(page.getByRole("button", { name: "Try again" }));
    expect(await focused(page)).toStartWith('textbox "Your message"');
    await tabTo(page, 'radio "curl"');
    await page.keyboard.press("ArrowRight");
    expect(await focused(page)).toStartWith('radio "openai-node"');
    await shows(page.getByLabel("Code", { exact: true }).getByText("import OpenAI"));
  });

  test("the focus is visible at every element that Tab reaches, on every page", async () => {
    const agent = await connectV2Agent(scene.url);
    scene.after(() => agent.stop());
    const page = await openDashboard(browser, scene);
    for (const path of ["overview", "agents", "agents/join", "users", "usage", "try", "settings", "audit"]) {
      await page.goto(`${scene.url}/dashboard#/${path}`);
      await page.reload();
      await shows(page.locator("h1"));
      const stops = await walk(page);
      expect(stops.length).toBeGreaterThan(5);
      expect([path, stops.filter(({ isVisible }) => !isVisible)]).toEqual([path, []]);
    }
  });
});
