import type { z } from "zod";
import { AppError } from "../../errors.ts";

/** The field cannot be kept in a chat completion. `param` is its path, as `input[3].content[0]`. */
export function refuse(param: string, hint: string): AppError {
  return new AppError("request_untranslatable", { param, hint });
}

/** The value as the schema has it. Otherwise an error that names the field by its whole path. */
export function read<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  path: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const param = pathOf(path, issue?.path ?? []);
  throw new AppError("body_invalid", { param, hint: `${param}: ${issue?.message ?? "invalid"}` });
}

function pathOf(start: string, keys: readonly PropertyKey[]): string {
  let path = start;
  for (const key of keys) {
    if (typeof key === "number") path += `[${key}]`;
    else path += path === "" ? String(key) : `.${String(key)}`;
  }
  return path === "" ? "body" : path;
}
