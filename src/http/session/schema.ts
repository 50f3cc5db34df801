import { z } from "zod";

/** `POST /api/session`; what it takes where no key stands in a header. */
export const SignInBody = z.strictObject({
  /** From the link that the server prints at its first start. */
  code: z.string().min(1).max(256).optional(),
});

const text = z.string();
const time = z.iso.datetime({ offset: true });
const limit = z.int().min(1).nullable();

/** Who is signed in, or whose key it is. */
export const SessionAnswer = z
  .strictObject({
    role: z.enum(["admin", "user"]),
    /** Null for the holder of the admin key. In it null is no name, no end, every model, no limit. */
    user: z
      .strictObject({
        user_id: text,
        name: text.nullable(),
        expires_at: time.nullable(),
        models: z.array(text).min(1).nullable(),
        requests_per_minute: limit,
        tokens_per_day: limit,
        max_parallel: limit,
      })
      .nullable(),
    /** When the session ends; null where the caller came with a key. */
    expires_at: time.nullable(),
  })
  .meta({ id: "Session" });
export type SessionAnswer = z.output<typeof SessionAnswer>;

export const SignedOut = z.strictObject({ message: z.literal("Signed out") }).meta({ id: "SignedOut" });
