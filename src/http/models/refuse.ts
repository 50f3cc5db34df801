import type { z } from "zod";
import { AppError } from "../../errors.ts";
import { parseShape } from "../middleware/body.ts";

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
  return parseShape(schema, value, "body_invalid", path);
}
