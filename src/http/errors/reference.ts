import { type AppError, ERRORS } from "../../errors.ts";
import type { Surface } from "./surface.ts";

/**
 * The reference's routes: `{"error": text}`, with the further keys that the reference has for some, and with
 * `hint` where something can be done. Keys are sorted, as the reference's are.
 */
function referenceError(error: AppError): Record<string, unknown> {
  const body: Record<string, unknown> = { ...error.extra, error: error.message };
  if (error.code === "user_list_failed") body["message"] = ERRORS.user_list_failed.message;
  if (error.hint !== undefined) body["hint"] = error.hint;
  return Object.fromEntries(Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const referenceSurface: Surface = {
  errorBody: referenceError,
  streamError: (error) => [{ event: "", data: JSON.stringify(referenceError(error)) }],
};
