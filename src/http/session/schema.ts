import { z } from "zod";
import { UserFieldsAnswer } from "../admin/schema.ts";
import { amount, currency, namedObject, text, time } from "../values.ts";

/** The body that is needed without a key in a header. */
export const SignInBody = z.strictObject({
  code: text
    .min(1)
    .max(256)
    .optional()
    .describe("The code in the link that the server prints at its first start, if no key is in a header."),
});

/** A budget in units of the currency, and when it starts again. */
const Budget = z.strictObject({ limit: amount, remaining: amount, resets_at: time });

/** Who is signed in, or whose key it is. */
export const SessionAnswer = namedObject("Session", {
  role: z.enum(["admin", "user"]),
  /** Null for the holder of the admin key. */
  user: z.strictObject({ user_id: text, ...UserFieldsAnswer.shape }).nullable(),
  currency,
  /** How much is left of the user's budgets. Amounts that running requests have reserved are not left. */
  budgets: z.strictObject({
    /** Null for a user without this budget, and for the administrator. */
    day: Budget.nullable(),
    month: Budget.nullable(),
  }),
  /** When the session ends; null if the caller used a key. */
  expires_at: time.nullable(),
  /** The address at which users and agents reach the server (`--public-url`); null if the settings do not say it. */
  public_url: text.nullable(),
});
export type SessionAnswer = z.output<typeof SessionAnswer>;

/** A signed-in browser, newest first in a list. */
export const SessionList = namedObject("SessionList", {
  sessions: z.array(
    z.strictObject({
      id: text.describe("The SHA-256 of the session's cookie."),
      role: z.enum(["admin", "user"]),
      user_id: text.nullable().describe("Null for an administrator."),
      created_at: time,
      expires_at: time,
      is_current: z.boolean().describe("Whether this request has the cookie of the session."),
      address: text.nullable().describe("Where the browser signed in, if that is known."),
      user_agent: text.nullable().describe("The `User-Agent` of the browser when it signed in."),
    }),
  ),
});
export type SessionList = z.output<typeof SessionList>;

export const SessionEnded = namedObject("SessionEnded", { message: z.literal("Session ended") });

export const SignedOut = namedObject("SignedOut", { message: z.literal("Signed out") });
