import { z } from "zod";

/** What administrators are answered; as `answers.ts`. */
const text = z.string();
const time = z.iso.datetime({ offset: true });
const limit = z.int().min(1);
const models = z.array(text).min(1);

/** What may be said of a user; null is no name, no end, every model, no limit. */
const USER_FIELDS = {
  name: text.nullable(),
  expires_at: time.nullable(),
  models: models.nullable(),
  requests_per_minute: limit.nullable(),
  tokens_per_day: limit.nullable(),
  max_parallel: limit.nullable(),
};

const UserShape = z.strictObject({
  user_id: text,
  created_at: time,
  disabled_at: time.nullable(),
  ...USER_FIELDS,
});
export const UserAnswer = UserShape.meta({ id: "User" });

/** With those fields that were given. */
export const AddedUser = z
  .strictObject({ token: text, user_id: text, ...z.strictObject(USER_FIELDS).partial().shape })
  .meta({ id: "AddedUser" });

/** The details are there where they were asked for. */
export const UserList = z
  .strictObject({ users: z.array(UserShape.partial().extend({ user_id: text, token: text })) })
  .meta({ id: "UserList" });

export const UserDeleted = z.strictObject({ message: z.literal("User deleted") }).meta({ id: "UserDeleted" });

export const RotatedToken = z.strictObject({ token: text, user_id: text }).meta({ id: "RotatedToken" });

export const AgentList = z
  .strictObject({
    agents: z.array(
      z.strictObject({
        id: text,
        name: text,
        /** What the agent calls its version; null where its protocol has none. */
        version: text.nullable(),
        protocol: z.union([z.literal(1), z.literal(2)]),
        address: text,
        key: text.nullable(),
        models: z.array(text),
        slots: z.int().min(1),
        in_use: z.int().min(0),
        paused: z.boolean(),
        draining: z.boolean(),
        /** In words; null where it has work, or had some lately. */
        no_work_because: text.nullable(),
        since: time,
        last_heard: time,
      }),
    ),
  })
  .meta({ id: "AgentList" });

export const AgentDisconnected = z
  .strictObject({ id: text, state: z.enum(["closed", "draining"]) })
  .meta({ id: "AgentDisconnected" });

export const AddedAgentKey = z
  .strictObject({ id: text, name: text, models: models.nullable(), key: text })
  .meta({ id: "AddedAgentKey" });

export const AgentKeyList = z
  .strictObject({
    keys: z.array(
      z.strictObject({
        id: text,
        name: text,
        models: models.nullable(),
        created_at: time,
        revoked_at: time.nullable(),
      }),
    ),
  })
  .meta({ id: "AgentKeyList" });

export const AgentKeyRevoked = z
  .strictObject({ id: text, name: text, revoked: z.literal(true) })
  .meta({ id: "AgentKeyRevoked" });

export const AuditAnswer = z
  .strictObject({
    audit: z.array(
      z.strictObject({
        seq: z.int(),
        at: time,
        actor: text,
        action: text,
        target: text.nullable(),
        detail: z.record(text, z.unknown()).nullable(),
        address: text.nullable(),
        request_id: text.nullable(),
      }),
    ),
    next: z.int().nullable(),
  })
  .meta({ id: "Audit" });
