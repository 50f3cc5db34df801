import type { AppError } from "../../errors.ts";
import type { ServerEvent } from "../middleware/event-stream.ts";

/** The shape of the errors of a family of routes. */
export interface ErrorStyle {
  /** The body of an error response. */
  body(error: AppError, status: number, requestId: string): unknown;
  /** The event that ends a stream which failed after its first event or keep-alive. */
  streamEvent(error: AppError, requestId: string, sent?: SentEvents): ServerEvent;
  /** Whether an upstream's error body has this style, so that it may be passed on unchanged. */
  hasStyle?(upstreamBody: unknown): boolean;
  /** The text that a quiet stream sends now and then; a comment by default. */
  keepAlive?: string;
}

/** The part of what a stream has sent that its last event depends on. */
export interface SentEvents {
  count: number;
  /** The data of the first event. */
  first: string | undefined;
}
