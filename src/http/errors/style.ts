import type { AppError } from "../../errors.ts";
import type { ServerEvent } from "../middleware/event-stream.ts";

/** The shape in which a family of routes tells its errors. */
export interface ErrorStyle {
  /** The body of an error response. */
  body(error: AppError, status: number, requestId: string): unknown;
  /** The event that ends a stream which failed after its first event. */
  streamEvent(error: AppError, requestId: string, sent?: SentEvents): ServerEvent;
  /** Whether an upstream's error body has this style, so that it may be passed on unchanged. */
  isOwnBody?(upstreamBody: unknown): boolean;
  /** What a quiet stream sends now and then; a comment by default. */
  keepAlive?: string;
}

/** What a stream has sent so far, as far as its last event depends on it. */
export interface SentEvents {
  count: number;
  /** The data of the first event. */
  first: string | undefined;
}
