import { z } from "zod";
import { parseJson } from "../../json/parse.ts";

const count = z.int().nonnegative();
const text = z.string().max(1024);

/**
 * The body of a message without frames. Every version must be able to read it, as it tells the version. A beat is one for all nodes: it lets them find each other. Two nodes that know
 * each other send each other one every second: it shows that the sender lives, what it sent, and what has arrived.
 */
export const Sync = z.object({
  /** Counts these messages from the sender to the receiver, so that a recorded one shows. 0 in a beat. */
  n: count,
  /** The version of the frames that the sender writes. */
  protocol: z.int().min(1),
  /** The oldest version that it understands; without it, the version that it writes. */
  accepts: z.int().min(1).optional(),
  name: text,
  version: text,
  /** Milliseconds since 1970, by the sender's clock. */
  started_at: z.number(),
  draining: z.boolean(),
  /** The number of the last message with frames that was sent to the receiver. */
  sent: count,
  /** The number up to which all of the receiver's messages have arrived. */
  got: count,
  /** Asks for all messages from this number on. */
  resend: count.min(1).optional(),
  /** Asks for an answer at once. */
  answer: z.boolean().optional(),
  /** The sender is gone for good. */
  leave: z.boolean().optional(),
});
export type Sync = z.output<typeof Sync>;

/** Returns undefined if the text is not the body of such a message. */
export function parseSync(text: string): Sync | undefined {
  return Sync.safeParse(parseJson(text)).data;
}
