import type { Locator, Page } from "playwright-core";
import { shows, type TestBrowser } from "./browser.ts";
import { button, goTo, openDashboard } from "./browser-dashboard.ts";
import type { Scene } from "./scene.ts";
import {
  type AskFrame,
  connectV2Agent,
  streamPieces,
  V2_HELLO,
  type V2Agent,
  type V2AgentOptions,
} from "./v2-agent.ts";

export type OnAsk = NonNullable<V2AgentOptions["onAsk"]>;

/** Locates the field for the next message. */
export const message = (page: Page): Locator => page.getByLabel("Your message");

/** Locates an answer, counted from 0. */
export const answer = (page: Page, index = 0): Locator => page.locator(".reply").nth(index);

/** Types a message and sends it with Enter. */
export async function ask(page: Page, text: string): Promise<void> {
  await message(page).fill(text);
  await message(page).press("Enter");
}

/** Waits until the answer is complete. */
export const done = (page: Page) => shows(button(page, "Try again"));

/** Answers every ask with these pieces. */
export const say =
  (pieces: readonly string[]) =>
  (frame: AskFrame, agent: V2Agent): void =>
    streamPieces(agent, frame.ask, pieces);

/**
 * Returns a function that connects an agent, and opens *Try it* as a new user. `hello` changes fields of the agent's
 * hello. By default its asks stay unanswered.
 */
export function useTry(browser: TestBrowser, scene: Scene) {
  return async (onAsk: OnAsk = () => {}, hello: object = {}) => {
    const agent = await connectV2Agent(scene.url, { hello: { ...V2_HELLO, ...hello }, onAsk });
    scene.after(() => agent.stop());
    const { token } = await scene.addUser();
    const page = await openDashboard(browser, scene, { key: token });
    await goTo(page, "Try it");
    await shows(message(page));
    return { page, token, agent };
  };
}
