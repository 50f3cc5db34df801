import { z } from "zod";
import { UserFieldsAnswer } from "../admin/schema.ts";

/** The body that is needed without a key in a header. */
export const SignInBody = z.strictObject({
  code: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe("The code in the link that the server prints at its first start, if no key is in a header."),
});

/** Who is signed in, or whose key it is. */
export const SessionAnswer = z
  .strictObject({
    role: z.enum(["admin", "user"]),
    /** Null for the holder of the admin key. */
    user: z.strictObject({ user_id: z.string(), ...UserFieldsAnswer.shape }).nullable(),
    /** When the session ends; null if the caller used a key. */
    expires_at: z.iso.datetime({ offset: true }).nullable(),
  })
  .meta({ id: "Session" });
export type SessionAnswer = z.output<typeof SessionAnswer>;

export const SignedOut = z.strictObject({ message: z.literal("Signed out") }).meta({ id: "SignedOut" });
