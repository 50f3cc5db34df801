import { z } from "zod";
import { EVENT_NAME } from "../agent-v2.ts";
import { DELETIONS_MAX, EVENTS_MAX, ID_LENGTH_MAX, RESPONSE_ID_LENGTH_MAX } from "./bounds.ts";
import { count, error, frame, list, text, userId } from "./fields.ts";

const responseId = text(RESPONSE_ID_LENGTH_MAX);
/** A response is named by its user and its id: nobody gets that of another. */
const named = { user: userId, id: responseId };
const reader = text(ID_LENGTH_MAX).min(1);
const event = z.tuple([text(EVENT_NAME.lengthMax), z.string()]);

/** Frames about the responses that nodes keep, or work on. */
export const RESPONSE_FRAMES = [
  /**
   * Asks for a response. `part`: `response`; `item` if the id is that of an item in it; `events` if only a node will do
   * that has its events. A node that does not know the part does not have it.
   */
  frame("find_response", { n: count, ...named, part: text(64) }),
  /** Cancels a response on which the receiver works. The answer comes once it has ended. */
  frame("cancel_response", { n: count, ...named }),
  /** The answer to both: the response as JSON, see `writeHeld`; without it the node does not have the response. */
  frame("response_found", { n: count, response: z.string().optional() }),
  /** Forgets a response, and ends it if it is being made. The answer: whether the node had it. */
  frame("delete_response", { n: count, ...named }),
  frame("response_deleted", { n: count, had: z.boolean() }),
  /** The responses that were deleted lately, for a node that joins. */
  frame("deleted_responses", { responses: list(z.tuple([userId, responseId]), DELETIONS_MAX) }),
  /** Reads the events of a response after this number, and those to come. `reader` names what is read. */
  frame("read_response", { reader, ...named, after: z.int().min(-1) }),
  /** Some events, each with its name and data. The first of these frames may have none. */
  frame("response_events", { reader, events: list(event, EVENTS_MAX) }),
  /** No event follows; with `error`, as they cannot be read. */
  frame("response_end", { reader, error: error.optional() }),
  /** The length of all data that were passed on to the caller, in UTF-16 code units. */
  frame("response_ack", { reader, length: count }),
  /** The caller has left. */
  frame("leave_response", { reader }),
] as const;
