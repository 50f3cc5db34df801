import { html, raw } from "hono/html";
import { curlOf, fieldRows, type Markup, prose, rows, typeOf } from "./page-parts.ts";
import { PAGE_STYLE } from "./page-style.ts";
import type { Answered, ApiDocument, Content, Operation, Parameter } from "./shape.ts";

interface Route {
  method: string;
  path: string;
  operation: Operation;
}

/**
 * Returns the document as one HTML page, which contains no script and loads nothing else. Hand-written, as
 * Scalar and Swagger UI need scripts, which the page's policy forbids.
 */
export function renderPage(document: ApiDocument): string {
  const { info, tags } = document;
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const ofTag = (name: string) => routes.filter(({ operation }) => operation.tags.includes(name));
  const sections = tags.map(({ name, description }) => ({ name, description, routes: ofTag(name) }));
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} API</title>
<link rel="icon" href="data:,">
<style>${raw(PAGE_STYLE)}</style>
</head>
<body>
<div class="all">
<nav aria-label="Routes">${sections.map(({ name, routes }) => html`<h2>${name}</h2><ul>${routes.map(link)}</ul>`)}</nav>
<main>
<h1>${info.title}</h1>
<p class="quiet">Version ${info.version} · <a href="/openapi.json">openapi.json</a></p>
${prose(info.description)}
${keys(document)}
${sections.map(
  ({ name, description, routes }) => html`<section>
<h2>${name}</h2>
<p class="quiet">${description}</p>
${routes.map((route) => section(document, route))}
</section>`,
)}
</main>
</div>
</body>
</html>
`;
  return String(page);
}

const link = ({ method, path, operation }: Route): Markup =>
  html`<li><a href="#${operation.operationId}">${method.toUpperCase()} ${path}</a></li>`;

function keys({ components }: ApiDocument): Markup {
  const schemes = Object.entries(components.securitySchemes);
  const headers = Object.entries(components.headers);
  return html`<details class="more"><summary>Keys, and the headers of answers</summary>
${rows(["key", "sent as"], schemes, ([name, { description }]) => [html`<code>${name}</code>`, prose(description)])}
${rows(["header", ""], headers, ([name, { description }]) => [html`<code>${name}</code>`, prose(description)])}
</details>`;
}

/** A link to a fragment inside a closed section opens it, so the id is on the inner element. */
function section(document: ApiDocument, { method, path, operation }: Route): Markup {
  const { operationId, summary, description = "", parameters = [], requestBody } = operation;
  return html`<details class="route"><summary><span class="method ${method}">${method.toUpperCase()}</span>
<code class="path">${path}</code> <span>${summary}</span></summary>
<div class="inside" id="${operationId}">
${prose(description)}
${curl(method, path, operation)}
${parameters.length > 0 && html`<h3>Parameters</h3>${parameterRows(parameters)}`}
${requestBody && html`<h3>Body</h3>${Object.values(requestBody.content).map(({ schema }) => fieldRows(document, schema))}`}
<h3>Answers</h3>
${Object.entries(operation.responses)
  .filter(([status]) => isGood(status))
  .map(([status, answer]) => goodAnswer(document, status, answer))}
${otherAnswers(document, operation)}
</div></details>`;
}

/** Whether the status is not one of an error. */
const isGood = (status: string) => Number(status[0]) < 4;

function curl(method: string, path: string, operation: Operation): Markup {
  if (operation.tags.includes("Registration")) return "";
  return html`<pre class="copy" tabindex="0">${curlOf(method, path, operation)}</pre>`;
}

const parameterRows = (parameters: readonly Parameter[]): Markup =>
  rows(["name", "type", ""], parameters, ({ name, in: place, schema, description }) => [
    html`<code>${name}</code> <span class="quiet">${place}</span>`,
    html`<span class="quiet">${typeOf(schema)}</span>`,
    prose(description),
  ]);

function goodAnswer(document: ApiDocument, status: string, { description, content = {} }: Answered): Markup {
  return html`<p><strong>${status}</strong> ${description}</p>
${Object.entries(content).map(
  ([media, { schema, example }]) => html`<p class="quiet"><code>${media}</code></p>
${media === "application/json" ? fieldRows(document, schema) : prose(schema.description ?? "")}
<pre tabindex="0">${shown(example)}</pre>`,
)}`;
}

function otherAnswers(document: ApiDocument, { responses }: Operation): Markup {
  const other = Object.entries(responses).filter(([status]) => !isGood(status));
  const errors = other.flatMap(([status, answer]) => {
    const content = Object.values(answer.content ?? {});
    const named = content.flatMap(({ examples = {} }) => Object.entries(examples));
    if (named.length === 0) return [{ status, what: prose(answer.description), text: exampleOf(content) }];
    return named.map(([code, { $ref = "" }]) => {
      const { value } = document.components.examples[$ref.split("/").at(-1) ?? ""] ?? {};
      return { status, what: html`<code>${code}</code>` as Markup, text: shown(value) };
    });
  });
  return html`<details class="more"><summary>Errors</summary>
${rows(["status", "code", "body"], errors, ({ status, what, text }) => [status, what, html`<code>${text}</code>`])}
</details>`;
}

const exampleOf = ([first]: readonly Content[]): string =>
  first?.example === undefined ? "" : shown(first.example);

const shown = (example: unknown): string =>
  typeof example === "string" ? example : JSON.stringify(example, null, 1).replaceAll(/\n */g, " ");
