import type { Delta } from "../../../relay/types.ts";

/** The events that have the whole response. */
const STATE = /^response\.(?:created|queued|in_progress|completed|incomplete|failed|cancelled)$/;
const TERMINAL = /^response\.(?:completed|incomplete|failed|cancelled)$/;
const TYPE_AT_START = /^\s*\{\s*"type"\s*:\s*"([\w.]{1,64})"/;

/** Returns the type of an event. An upstream may leave out its name. */
export const typeOf = ({ event = "", data }: Delta): string =>
  event !== "" ? event : (data.match(TYPE_AT_START)?.[1] ?? "");

/** Whether the event has the whole response. */
export const isState = (event: Delta): boolean => STATE.test(typeOf(event));

/** Whether the event is the last one of a response, which it has. */
export const isTerminal = (event: Delta): boolean => TERMINAL.test(typeOf(event));
