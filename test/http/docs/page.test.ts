import { beforeAll, expect, test } from "bun:test";
import { createDocument } from "../../../src/http/docs/document.ts";
import { renderPage } from "../../../src/http/docs/page.ts";
import type { ApiDocument } from "../../../src/http/docs/shape.ts";
import { ROUTES } from "../../../src/http/resources.ts";
import { startTestServer } from "../../support/server.ts";

interface Element {
  name: string;
  attributes: Record<string, string>;
}

/** Returns the elements of a page in their order. */
function elementsOf(page: string): Element[] {
  const elements: Element[] = [];
  new HTMLRewriter()
    .on("*", {
      element: ({ tagName, attributes }) => {
        elements.push({ name: tagName, attributes: Object.fromEntries(attributes) });
      },
    })
    .transform(page);
  return elements;
}

let api: ApiDocument;
let page = "";
let elements: Element[] = [];
beforeAll(() => {
  api = createDocument("1.2.3", ROUTES);
  page = renderPage(api);
  elements = elementsOf(page);
});

const valuesOf = (name: string) =>
  elements.flatMap(({ attributes }) => (name in attributes ? [attributes[name] ?? ""] : []));

test("the page runs nothing and loads nothing", () => {
  const names = new Set(elements.map(({ name }) => name));
  for (const name of ["script", "img", "iframe", "object", "embed", "form", "base", "svg", "video"])
    expect(names).not.toContain(name);
  for (const { attributes } of elements)
    for (const name of Object.keys(attributes)) expect(name).not.toMatch(/^(?:on|src|style$|action|srcset)/);
  const links = elements.filter(({ name }) => name === "link");
  expect(links.map(({ attributes }) => attributes)).toEqual([{ rel: "icon", href: "data:," }]);
  const leading = valuesOf("href").filter((href) => !href.startsWith("#"));
  expect(leading.sort()).toEqual(["/openapi.json", "data:,"]);
  expect(page.match(/<style>([\s\S]*)<\/style>/)?.[1]).not.toMatch(/url\(|@import|https?:/);
});

test("the policy of the page allows its own style by its hash, and nothing else inline", async () => {
  const { url } = await startTestServer();
  const response = await fetch(`${url}/docs`);
  const style = (await response.text()).match(/<style>([\s\S]*)<\/style>/)?.[1] ?? "";
  const hash = new Bun.CryptoHasher("sha256").update(style).digest("base64");
  const policy = response.headers.get("content-security-policy") ?? "";
  expect(policy.split("; ")).toContain(`style-src 'self' 'sha256-${hash}'`);
  expect(policy).toStartWith("default-src 'none'");
  expect(policy).not.toContain("unsafe");
});

test("the page has a section and a link for every operation, with each of its statuses and errors", () => {
  const ids = valuesOf("id");
  expect(new Set(ids).size).toBe(ids.length);
  const operations = Object.values(api.paths).flatMap((methods) => Object.values(methods));
  expect([...ids].sort()).toEqual(operations.map(({ operationId }) => operationId).sort());
  const anchors = valuesOf("href").filter((href) => href.startsWith("#"));
  expect(anchors.sort()).toEqual(ids.map((id) => `#${id}`).sort());
  const sections = new Map(
    page
      .split('<details class="route">')
      .slice(1)
      .map((text) => [text.match(/ id="(\w+)"/)?.[1], text]),
  );
  for (const { operationId, summary, responses } of operations) {
    const section = sections.get(operationId) ?? "";
    expect(section).toContain(Bun.escapeHTML(summary).replaceAll("&#x27;", "&#39;"));
    for (const [status, { content = {} }] of Object.entries(responses)) {
      expect(section).toMatch(new RegExp(`<(?:td|strong)>${status}</`));
      for (const { examples = {} } of Object.values(content))
        for (const code of Object.keys(examples)) expect(section).toContain(`<code>${code}</code>`);
    }
  }
});

test("descriptions stay text, whatever is in them", () => {
  const evil = '</style><script>alert(1)</script><img src=x onerror="alert(1)">`<b>`';
  const marred = structuredClone(api);
  marred.info.title = evil;
  marred.info.description = evil;
  const { get } = marred.paths["/health"] ?? {};
  Object.assign(get ?? {}, { summary: evil, description: evil });
  for (const tag of marred.tags) tag.description = evil;
  const names = elementsOf(renderPage(marred)).map(({ name }) => name);
  for (const name of ["script", "img", "b"]) expect(names).not.toContain(name);
});
