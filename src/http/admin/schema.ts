import { z } from "zod";
import { AUDIT_ACTORS } from "../../audit-actions.ts";
import { AMOUNT_MAX, isAmount } from "../../prices/money.ts";
import { PRINTABLE } from "../../printable.ts";
import { AgentRow } from "../../protocol/node/lists.ts";
import { agentTags } from "../../protocol/preference.ts";
import { PRIORITIES } from "../../relay/routing/priority.ts";
import { USER_ATTRIBUTES, USER_FIELDS, type UserField } from "../../user-attributes.ts";
import { namedObject, text, time } from "../values.ts";

/**
 * The requests of administrators and their responses. A key in a body, `admin_key`, is removed before these
 * schemas are applied.
 */
export const modelNames = z.array(text).min(1);
const positive = z.int().min(1);

/** The meaning of null for each kind of attribute. */
const NULL_MEANS = {
  text: "Null means no name.",
  time: "Null means no end.",
  models: "Null means every model.",
  limit: "Null means no limit.",
  amount: "Null means no budget.",
  priority: "Null means `normal`.",
  tags: "Null means every agent.",
};

const LIMIT_MAX = 1_000_000_000_000;
export const MODELS_MAX = 1_000;
const GRACE_S_MAX = 365 * 86_400;

/** A text that cannot garble the lists, logs and terminals that show it. */
export const shownText = (lengthMax: number, pattern = PRINTABLE) =>
  text.trim().min(1).max(lengthMax).regex(pattern, "must be without control characters");

export const userText = shownText(200, /^\P{Cc}*$/u);

/**
 * The accepted values of each kind of attribute. An empty list of models or tags would be mistaken for all of them.
 */
const GIVEN = {
  text: userText,
  time: z.iso.datetime({ offset: true, error: "must be a time as 2026-12-31T23:59:59Z" }),
  models: z.array(userText).min(1).max(MODELS_MAX),
  limit: positive.max(LIMIT_MAX),
  amount: z
    .number()
    .positive()
    .refine(isAmount, `must be at most ${AMOUNT_MAX}, with at most six decimal places`),
  priority: z.enum(PRIORITIES, { error: `must be ${PRIORITIES.join(", ")} or null` }),
  tags: agentTags,
};

/** The values in responses of each kind of attribute. */
const SENT = {
  ...{ text, time, models: modelNames, limit: positive },
  ...{ amount: z.number().positive(), priority: z.enum(PRIORITIES), tags: z.array(text).min(1) },
};

type KindOf<Field extends UserField> = (typeof USER_ATTRIBUTES)[Field]["kind"];
type Kinds = Record<KindOf<UserField>, z.ZodType>;
type Fields<Of extends Kinds> = { [Field in UserField]: z.ZodNullable<Of[KindOf<Field>]> };

function userFields<Of extends Kinds>(schemas: Of): Fields<Of> {
  const fields = USER_FIELDS.map((field) => {
    const { kind, about } = USER_ATTRIBUTES[field];
    return [field, schemas[kind].nullable().describe(`${about} ${NULL_MEANS[kind]}`)];
  });
  return Object.fromEntries(fields);
}

const GIVEN_FIELDS = z.strictObject(userFields(GIVEN)).partial().shape;

/** A user's attributes in an answer. */
export const UserFieldsAnswer = z.strictObject(userFields(SENT));

export const USER_FIELDS_EXAMPLE = Object.fromEntries(
  USER_FIELDS.map((field) => [field, USER_ATTRIBUTES[field].example]),
) as { [Field in UserField]: (typeof USER_ATTRIBUTES)[Field]["example"] };

/** The body for a new user. As on the Go server, unknown fields are ignored. Null is the same as missing. */
export const AddUserBody = z.object(GIVEN_FIELDS);

/** The body of a change. Null removes a value. An unknown field is refused. */
export const ChangeUserBody = z.strictObject(GIVEN_FIELDS);

export const UserListQuery = z.object({
  details: z
    .enum(["true", "false"])
    .optional()
    .catch(undefined)
    .describe("`true` for everything that is known about each user."),
  tokens: z
    .enum(["true", "false"])
    .optional()
    .catch(undefined)
    .describe("`false` leaves the tokens out. Use it wherever the tokens are not needed."),
});

export const DeleteUserBody = z.object({ user_id: text.nullish().describe("The user to delete.") });

export const RotateTokenBody = z.strictObject({
  grace_seconds: z
    .number()
    .min(0)
    .max(GRACE_S_MAX)
    .nullish()
    .describe("How long the old token stays valid beside the new one. Missing or 0: not at all."),
});

/** Declares the body of a request that needs nothing but the path. */
export const NO_FIELDS = { schema: z.strictObject({}), example: {}, isRequired: false } as const;

const UserShape = z.strictObject({
  user_id: text,
  created_at: time,
  disabled_at: time.nullable(),
  ...UserFieldsAnswer.shape,
});
export const UserAnswer = UserShape.meta({ id: "User" });

/** A new user, with the attributes that were given. */
export const AddedUser = namedObject("AddedUser", {
  token: text,
  user_id: text,
  ...UserFieldsAnswer.partial().shape,
});

/** All users. `token` is missing with `tokens=false`, and the other optional fields are present with `details=true`. */
export const UserList = namedObject("UserList", {
  users: z.array(UserShape.partial().extend({ user_id: text, token: text.optional() })),
});

export const UserDeleted = namedObject("UserDeleted", { message: z.literal("User deleted") });

export const RotatedToken = namedObject("RotatedToken", { token: text, user_id: text });

export const DisconnectBody = z.object({
  drain: z.boolean().nullish().describe("Let the agent finish its running requests first."),
});

export const AgentAnswer = z.strictObject({
  ...AgentRow.shape,
  /** The name of the node that the agent is connected to, in a cluster. */
  node: text.optional(),
});
export type AgentAnswer = z.output<typeof AgentAnswer>;

export const AgentList = namedObject("AgentList", {
  agents: z.array(AgentAnswer),
  /** The names of the nodes of a cluster that did not send all of their agents in time. */
  missing_nodes: z.array(text).optional(),
});

export const AgentDisconnected = namedObject("AgentDisconnected", {
  id: text,
  state: z.enum(["closed", "draining"]),
});

export const ResetAgentBody = z.object({
  model: text.nullish().describe("The model whose circuit to close. All of them if missing or null."),
});

export const AgentReset = namedObject("AgentReset", {
  id: text,
  /** The models whose circuits were closed. */
  models: z.array(text),
});

export const AgentUpdated = namedObject("AgentUpdated", { id: text, state: z.literal("asked") });

export const AuditQuery = z.object({
  limit: z.coerce
    .number("give a whole number from 1 to 1000")
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .describe("The maximum number of entries."),
  before: z.coerce.number().int().min(1).optional().describe("Only entries with a smaller `seq`."),
  actor: z
    .enum(AUDIT_ACTORS)
    .optional()
    .describe("Only changes by administrators over HTTP, by a command, by an agent, or by users themselves."),
  action: z
    .string()
    .max(64)
    .regex(/^[a-z_]+(\.[a-z_]+)?$/, "give an action, such as user.add, or its first part")
    .optional()
    .describe("Only this action, or all that begin with it: `user` for `user.add`, `user.change` and so on."),
  search: z
    .string()
    .max(200)
    .optional()
    .describe("Only entries whose action, target, detail, address or request id contain all of these words."),
  format: z.enum(["json", "csv"]).default("json").describe("CSV is for spreadsheets."),
});

export const AuditAnswer = namedObject("Audit", {
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
});

/** The settings by the names that `config --json` uses, in its order. */
const SETTINGS = z.record(
  text,
  z.strictObject({
    /** The text that an operator would write; `***` for a secret, and a word in brackets without a value. */
    value: text,
    /** The flag or variable that it comes from, `default`, or `database` if it was changed while the server ran. */
    from: text,
    /** The flag; a plain name for a setting without one. */
    label: text,
    about: text,
    /** Whether `PATCH /admin/settings` can change it. Only then are the following fields there. */
    changeable: z.boolean(),
    /** The value in force, and the one that counts without a change, as JSON. Secrets in them are masked. */
    current: z.unknown().optional(),
    default: z.unknown().optional(),
    /** When it was changed; null if it has its default. */
    changed_at: time.nullable().optional(),
  }),
);

const CERTIFICATE = z
  .strictObject({
    /** The names in the certificate, as in `DNS:chat.example.com`. */
    names: text,
    expires_at: time,
    /** When the server renews it; null if it does not, or if that is not known yet. */
    renews_at: time.nullable(),
    /** Why the last order of a certificate failed; null if it did not. */
    failure: text.nullable(),
  })
  .describe("The certificate in use. Left out by a server without TLS.");

export const SettingsAnswer = namedObject("Settings", {
  version: text,
  started_at: time,
  certificate: CERTIFICATE.optional(),
  settings: SETTINGS,
});
export type SettingsAnswer = z.output<typeof SettingsAnswer>;
