import type { AppError } from "../../errors.ts";
import type { ServerEvent } from "../models/translation.ts";

/** How one family of routes tells of errors. */
export interface Surface {
  /** The body of an error with a status of its own. */
  errorBody(error: AppError, status: number, requestId: string): unknown;
  /** What ends a stream that has failed after its first event. */
  streamError(error: AppError, requestId: string, seen: StreamMemory): ServerEvent[];
  /** Whether an upstream's error body is in this surface's words, and so may be passed on as it is. */
  speaks?(upstreamBody: unknown): boolean;
  /** Sent after a quiet spell; a comment where the surface has nothing for it. */
  quietText?: string;
}

/** What is kept of a stream for the sake of its end. */
export interface StreamMemory {
  count: number;
  /** The data of the first event. */
  first: string | undefined;
}
