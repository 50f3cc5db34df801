import { z } from "zod";

/**
 * What the reference's admin routes take. The key is looked at before the rest, so each has a schema of its
 * own: with a wrong key nothing is told about the other fields.
 */
export const AdminKeyBody = z.object({ admin_key: z.string().nullish() });

export const DeleteUserBody = z.object({ user_id: z.string().nullish() });

const LIMIT_MAX = 1_000_000_000_000;
const TEXT_LENGTH_MAX = 200;
const MODELS_MAX = 1_000;
const GRACE_S_MAX = 365 * 86_400;

/** Without control characters, so that a list of them can be shown in a terminal. */
const text = z
  .string()
  .trim()
  .min(1)
  .max(TEXT_LENGTH_MAX)
  .regex(/^\P{Cc}*$/u, "must be without control characters");

const limit = z.int().min(1).max(LIMIT_MAX);

/** What may be said of a user. An empty list of models would be mistaken for all of them: disable the user instead. */
const USER_FIELDS = {
  name: text,
  expires_at: z.iso.datetime({ offset: true, error: "must be a time as 2026-12-31T23:59:59Z" }),
  models: z.array(text).min(1).max(MODELS_MAX),
  requests_per_minute: limit,
  tokens_per_day: limit,
  max_parallel: limit,
};

/** As the reference does, it ignores what it does not know; null is the same as missing. */
export const AddUserBody = z.object(nullish(USER_FIELDS));
export type AddUserBody = z.output<typeof AddUserBody>;

/** Null takes a limit away; a field that there is not is refused. */
export const ChangeUserBody = z.strictObject({ ...AdminKeyBody.shape, ...nullish(USER_FIELDS) });
export type ChangeUserBody = z.output<typeof ChangeUserBody>;

/** For how long the old token is valid beside the new one; 0, and missing, is not at all. */
export const RotateUserBody = z.strictObject({
  ...AdminKeyBody.shape,
  grace_seconds: z.number().min(0).max(GRACE_S_MAX).nullish(),
});

/** For requests that say nothing but who is to be changed. */
export const EmptyAdminBody = z.strictObject(AdminKeyBody.shape);

function nullish<Fields extends Record<string, z.ZodType>>(fields: Fields) {
  const entries = Object.entries(fields).map(([name, schema]) => [name, schema.nullish()]);
  return Object.fromEntries(entries) as {
    [Name in keyof Fields]: z.ZodOptional<z.ZodNullable<Fields[Name]>>;
  };
}
