import type { AppError, ErrorCode } from "../../errors.ts";

/** The errors of a request that waited in vain, or would have had to wait. */
const WAITED: ReadonlySet<ErrorCode> = new Set(["queue_full", "user_queue_full", "no_agent"]);

/** Returns what the caller can do, with the time that requests have to wait now if the core knows it. */
export function hintOf({ code, hint, retryAfterMs }: AppError): string | undefined {
  if (retryAfterMs === undefined || !WAITED.has(code)) return hint;
  const wait = `Requests wait about ${shown(retryAfterMs)} for an agent now.`;
  return hint === undefined ? wait : `${hint} ${wait}`;
}

function shown(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  return seconds <= 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
