import type { Principal } from "../../principal.ts";
import type { RefusalReason } from "../../store/store.ts";

/** A request of a known caller that was refused before it was queued. Of these there are counts, but no rows. */
export interface Refusal {
  principal: Principal;
  reason: RefusalReason;
  /** The route's name, such as `chat/completions`. */
  surface: string;
  /** The model that was asked for, if no agent offers it. */
  missingModel?: string | undefined;
  /** Milliseconds since 1970. */
  at: number;
}

/** Returns the name that requests to a path have in the usage. */
export const surfaceOf = (path: string): string =>
  path === "/api/ask" ? "ask" : path.slice(path.startsWith("/v1/") ? "/v1/".length : 1);
