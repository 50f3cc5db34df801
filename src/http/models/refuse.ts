import type { z } from "zod";
import { AppError } from "../../errors.ts";
import { fieldHint } from "../errors/field-hint.ts";

/**
 * Returns the error for a field that a chat completion cannot express. `param` is its path, such as
 * `input[3].content[0]`, and `reason` says in full sentences what to do about it.
 */
export function refuse(param: string, reason: string, extra?: Record<string, unknown>): AppError {
  const hint = `The problem is \`${param}\`. ${reason}`;
  return new AppError("request_untranslatable", { param, hint, ...(extra && { extra }) });
}

/** Returns the value as the schema reads it. Throws an error that names the whole path of the wrong field. */
export function readShape<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  path: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const param = pathOf(path, issue?.path ?? []);
  throw new AppError("body_invalid", { param: param || "body", hint: fieldHint(param, issue?.message) });
}

function pathOf(start: string, keys: readonly PropertyKey[]): string {
  let path = start;
  for (const key of keys) {
    if (typeof key === "number") path += `[${key}]`;
    else path += path === "" ? String(key) : `.${String(key)}`;
  }
  return path;
}
