import { readFileSync } from "node:fs";

/**
 * Returns the `type` of each member of a union that a package declares, such as the tools that an API takes. The
 * declarations are read as text, in the form in which the packages of OpenAI and Anthropic generate them. A member
 * without a `type` is returned by its name.
 */
export function publishedTypes(module: string, union: string): string[] {
  const text = readFileSync(Bun.resolveSync(module, import.meta.dir).replace(/\.m?js$/, ".d.ts"), "utf8");
  const [, members = ""] = text.match(new RegExp(`^export type ${union} = ([^;]+);`, "m")) ?? [];
  const names = members.split("|").map((name) => name.trim());
  if (names.length < 2) throw new Error(`${module} has no union ${union}`);
  return [...new Set(names.flatMap((name) => typesOf(text, name)))];
}

function typesOf(text: string, name: string): string[] {
  const [outer, inner] = name.split(".");
  const scope = inner === undefined ? text : namespaceOf(text, outer ?? "");
  const own = inner ?? name;
  const body = scope.match(
    new RegExp(`^( *)(?:export )?interface ${own}(?: extends [^{]+)? \\{\\n([^]*?)^\\1\\}`, "m"),
  );
  // Fields of nested objects are further to the right.
  const [, indent = "", fields = ""] = body ?? [];
  const [, type = ""] = fields.match(new RegExp(`^${indent}    type\\??: ([^;]+);`, "m")) ?? [];
  const literals = [...type.matchAll(/'([^']+)'/g)].map(([, literal = ""]) => literal);
  return literals.length > 0 ? literals : [name];
}

function namespaceOf(text: string, name: string): string {
  const [, body = ""] =
    text.match(new RegExp(`^export declare namespace ${name} \\{\\n([^]*?)^\\}`, "m")) ?? [];
  return body;
}
