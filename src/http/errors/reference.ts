import { type AppError, ERRORS } from "../../errors.ts";
import type { ErrorStyle } from "./style.ts";
import { hintOf } from "./wait-hint.ts";

/**
 * Returns the Go server's `{"error": text}`, with the further keys that it has for some errors, and with
 * `hint` when the caller can do something. Keys are sorted, as the Go server's are.
 */
function referenceError(error: AppError): Record<string, unknown> {
  const body: Record<string, unknown> = { ...error.extra, error: error.message };
  if (error.code === "user_list_failed") body["message"] = ERRORS.user_list_failed.message;
  const hint = hintOf(error);
  if (hint !== undefined) body["hint"] = hint;
  return Object.fromEntries(Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The style of the Go server's routes, and of ours beside them. */
export const referenceStyle: ErrorStyle = {
  body: referenceError,
  streamEvent: (error) => ({ event: "", data: JSON.stringify(referenceError(error)) }),
};
