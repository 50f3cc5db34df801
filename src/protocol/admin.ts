import { z } from "zod";

/**
 * What the reference's admin routes take. The key is looked at before the rest, so each has a schema of its
 * own: with a wrong key nothing is told about the other fields.
 */
export const AdminKeyBody = z.object({ admin_key: z.string().nullish() });

export const DeleteUserBody = z.object({ user_id: z.string().nullish() });
