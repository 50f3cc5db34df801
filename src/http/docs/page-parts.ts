import { html } from "hono/html";
import type { ApiDocument, Operation, Shape } from "./shape.ts";

export type Markup = ReturnType<typeof html> | string;

/** Returns paragraphs, with text between backquotes as code. Everything else stays text. */
export function prose(text: string): Markup {
  if (text === "") return "";
  const paragraphs = text.split("\n\n").map((paragraph) => {
    const parts = paragraph.split("`");
    return html`<p>${parts.map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))}</p>`;
  });
  return html`${paragraphs}`;
}

/** Returns a table with a row for each item. */
export function rows<Item>(
  columns: readonly string[],
  items: readonly Item[],
  cells: (item: Item) => readonly Markup[],
): Markup {
  return html`<div class="wide"><table>
<thead><tr>${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${items.map((item) => html`<tr>${cells(item).map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table></div>`;
}

/** Returns a table of the fields of an object, including those of nested objects. Empty if there are none. */
export function fieldRows(document: ApiDocument, schema: Shape): Markup {
  const fields = fieldsOf(document, schema, "");
  if (fields.length === 0) return "";
  return rows(["field", "type", ""], fields, ({ name, shape, isRequired }) => [
    html`<code>${name}</code>`,
    html`<span class="quiet">${typeOf(shape)}${isRequired ? ", required" : ""}</span>`,
    prose(shape.description ?? ""),
  ]);
}

interface Field {
  name: string;
  shape: Shape;
  isRequired: boolean;
}

function fieldsOf(document: ApiDocument, schema: Shape, prefix: string): Field[] {
  const { properties = {}, required = [] } = resolve(document, schema);
  return Object.entries(properties).flatMap(([key, given]) => {
    const name = prefix + key;
    const shape = {
      ...withoutNull(resolve(document, given)),
      ...(given.description && { description: given.description }),
    };
    const field = {
      name,
      shape: { ...given, ...resolve(document, given) },
      isRequired: required.includes(key),
    };
    if (shape.items) return [field, ...fieldsOf(document, withoutNull(shape.items), `${name}[].`)];
    return [field, ...fieldsOf(document, shape, `${name}.`)];
  });
}

function resolve(document: ApiDocument, schema: Shape): Shape {
  const name = schema.$ref?.split("/").at(-1);
  return name === undefined ? schema : (document.components.schemas[name] ?? schema);
}

/** Returns a schema without the alternative null, which has no fields. */
function withoutNull(schema: Shape): Shape {
  const others = schema.anyOf?.filter(({ type }) => type !== "null");
  return others?.length === 1 ? (others[0] as Shape) : schema;
}

/** Returns the type in a few words. */
export function typeOf(schema: Shape): string {
  const { type, format, items, anyOf, oneOf, enum: values, const: only, $ref } = schema;
  const parts = anyOf ?? oneOf;
  const fallback = schema.default === undefined ? "" : `, default ${JSON.stringify(schema.default)}`;
  if ($ref !== undefined) return $ref.split("/").at(-1) ?? "";
  if (only !== undefined) return JSON.stringify(only);
  if (values) return values.map((value) => JSON.stringify(value)).join(" or ") + fallback;
  if (parts) return [...new Set(parts.map(typeOf))].join(" or ") + fallback;
  if (type === "array") return items?.type === undefined ? "array" : `array of ${typeOf(items)}`;
  const name = Array.isArray(type) ? type.join(" or ") : (type ?? "any");
  return (format === undefined ? name : `${name} (${format})`) + fallback;
}

/** Returns a command to paste into a shell. Names in capitals stand for what the reader fills in. */
export function curlOf(
  method: string,
  path: string,
  { security, parameters = [], requestBody }: Operation,
): string {
  const filled = parameters
    .filter((parameter) => parameter.in === "path")
    .reduce((text, { name }) => text.replace(`{${name}}`, `$${name.toUpperCase()}`), path);
  const example = Object.values(requestBody?.content ?? {})[0]?.example;
  return [
    "curl",
    ...(method === "get" ? [] : [`-X ${method.toUpperCase()}`]),
    `"$SERVER${filled}"`,
    ...(security.length === 0 ? [] : ['-H "Authorization: Bearer $KEY"']),
    ...(example === undefined ? [] : [`-d '${JSON.stringify(example).replaceAll("'", "'\\''")}'`]),
  ].join(" ");
}
