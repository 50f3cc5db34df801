import type { Page } from "playwright-core";
import { bundlePage } from "../../src/dashboard/bundle.ts";
import english from "../../src/dashboard/texts/en.json";
import { once } from "../../src/once.ts";

/** The marks around each text of the translation below. */
const [BEGIN, END] = ["⟦", "⟧"];

/** A translation of all texts, of which each stands between marks. */
export const MARKED = Object.fromEntries(
  Object.entries(english).map(([key, text]) => [key, key === "language" ? text : BEGIN + text + END]),
) as typeof english;

const ENTRY = new URL("../../src/dashboard/index.html", import.meta.url).pathname;

/** Builds the dashboard with `MARKED`, once. Agents of the test must connect later: meanwhile nothing answers their pings. */
export const buildTranslation = once(() => bundlePage(ENTRY, MARKED));

/** Serves this page's dashboard with `MARKED` in place of the English texts, at the API of the server. */
export async function translateDashboard(page: Page): Promise<void> {
  const files = await buildTranslation();
  const index = files.find(({ type }) => type.startsWith("text/html"));
  if (!index) throw new Error("The bundle has no page.");
  let html = new TextDecoder().decode(index.bytes);
  for (const { name } of files) html = html.replaceAll(`"./${name}"`, `"/dashboard/${name}"`);
  // Chromium does not know that a page that a test has replaced comes from this machine.
  await page.context().grantPermissions(["local-network-access"]);
  await page.context().route(/\/dashboard(\/[^?#]+)?$/, (route) => {
    const name = new URL(route.request().url()).pathname.split("/").at(-1);
    const file = files.find((one) => one.name === name);
    return route.fulfill(
      file
        ? { contentType: file.type, body: Buffer.from(file.bytes) }
        : { contentType: "text/html; charset=utf-8", body: html },
    );
  });
}

/**
 * Collects the strings of all answers of the server to the page, with the names of their fields. The result returns those
 * that have arrived until now.
 */
export function collectAnswers(page: Page): () => Promise<ReadonlySet<string>> {
  const pending = new Set<Promise<void>>();
  const strings = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value === "string") strings.add(value.trim());
    if (typeof value !== "object" || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      strings.add(name);
      collect(inner);
    }
  };
  page.on("response", (response) => {
    if (!response.headers()["content-type"]?.includes("json")) return;
    const read = response
      .json()
      .then(collect, () => undefined)
      .finally(() => pending.delete(read));
    pending.add(read);
  });
  page.on("websocket", (socket) => {
    socket.on("framereceived", ({ payload }) => {
      try {
        collect(JSON.parse(String(payload)));
      } catch {
        // Not JSON, so without texts.
      }
    });
  });
  return async () => {
    await Promise.all(pending);
    return strings;
  };
}

/**
 * Returns what the page shows or tells screen readers outside of marks: data, or texts that are not in the table.
 * Leaves out code, the content of fields, and texts without a letter.
 */
export function unmarkedTexts(page: Page): Promise<string[]> {
  return page.evaluate(FIND_UNMARKED);
}

const FIND_UNMARKED = `(() => {
  const found = [];
  const note = (text) => /\\p{L}/u.test(text) && found.push(text.trim());
  const outside = (text, from) => {
    let depth = from;
    let rest = "";
    for (const letter of text) {
      if (letter === "${BEGIN}") depth++;
      if (depth === 0) rest += letter;
      if (letter === "${END}") depth--;
    }
    return { depth, rest };
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ALL);
  let depth = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node instanceof Element) {
      for (const name of ["aria-label", "placeholder", "title", "alt", "data-title", "aria-description"])
        if (node.hasAttribute(name)) note(outside(node.getAttribute(name), 0).rest);
      continue;
    }
    if (!(node instanceof Text) || node.parentElement.closest("code, pre, script, style, noscript, textarea")) continue;
    const { depth: after, rest } = outside(node.data, depth);
    depth = after;
    note(rest);
  }
  return found;
})()`;
