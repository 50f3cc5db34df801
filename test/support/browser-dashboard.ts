import type { Locator, Page } from "playwright-core";
import { type OpenOptions, shows, type TestBrowser } from "./browser.ts";
import type { Executable } from "./executable.ts";

/** A server to connect to. */
interface Address {
  url: string;
  adminKey: string;
}

/** Waits for the start banner on a terminal, and returns its sign-in link. */
export async function signInLink(server: Executable): Promise<string> {
  const [, link = ""] = await server.output(/Dashboard +(http\S+#code=\S+)/);
  return link;
}

/** Opens the sign-in page. */
export async function openSignIn(
  browser: TestBrowser,
  { url }: Address,
  options?: OpenOptions,
): Promise<Page> {
  const page = await browser.open(`${url}/dashboard`, options);
  await shows(page.getByLabel("Key", { exact: true }));
  return page;
}

export async function typeKey(page: Page, key: string): Promise<void> {
  await page.getByLabel("Key", { exact: true }).fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Signs in with a key, by default the admin key, and returns the start page. */
export async function openDashboard(
  browser: TestBrowser,
  server: Address,
  options: OpenOptions & { key?: string } = {},
): Promise<Page> {
  const page = await openSignIn(browser, server, options);
  await typeKey(page, options.key ?? server.adminKey);
  await shows(page.getByRole("navigation", { name: "Pages", exact: true }));
  return page;
}

/** Goes to a page through the navigation, and waits for its heading, which is the title by default. */
export async function goTo(page: Page, title: string, heading = title): Promise<void> {
  await page
    .getByRole("navigation", { name: "Pages", exact: true })
    .getByRole("link", { name: title })
    .click();
  await shows(page.getByRole("heading", { level: 1, name: heading }));
}

/** Locates a button by its whole name. */
export const button = (page: Page, name: string): Locator => page.getByRole("button", { name, exact: true });

/** Searches an option of a combobox, and chooses it. */
export async function chooseIn(page: Page, label: string, option: string): Promise<void> {
  const field = page.getByRole("combobox", { name: label, exact: true });
  await field.click();
  await field.fill(option);
  // Other options may contain the name.
  const named = page.getByText(option, { exact: true });
  await page.getByRole("option").filter({ has: named }).click();
}

/** Clicks a copy button, and returns the clipboard's content. */
export async function copy(page: Page, what: string): Promise<string> {
  await page.evaluate("navigator.clipboard.writeText('nothing was copied')");
  await page.getByRole("button", { name: `Copy ${what}` }).click();
  await shows(page.getByText(`Copied ${what}.`));
  return page.evaluate("navigator.clipboard.readText()");
}

/** Locates the row of a table that contains a text. */
export function rowOf(page: Page, table: string, name: string | RegExp): Locator {
  return page.getByRole("table", { name: table }).getByRole("row").filter({ hasText: name });
}
