import type { UserAttributes } from "../store/store.ts";
import type { User } from "./users.ts";

/** What is said of a user, as it is written outside: in JSON, and for programs on the command line. */
export interface UserFields {
  name: string | null;
  /** RFC 3339. */
  expires_at: string | null;
  models: readonly string[] | null;
  requests_per_minute: number | null;
  tokens_per_day: number | null;
  max_parallel: number | null;
}

type Given<Fields> = { [Name in keyof Fields]?: Fields[Name] | undefined };

/** Of the fields those that are given, a null among them. */
export function attributesOf(fields: Given<UserFields>): Partial<UserAttributes> {
  const { name, expires_at, models, requests_per_minute, tokens_per_day, max_parallel } = fields;
  return given<UserAttributes>({
    name,
    expiresAt: typeof expires_at === "string" ? Date.parse(expires_at) : expires_at,
    models: models && [...new Set(models)],
    requestsPerMinute: requests_per_minute,
    tokensPerDay: tokens_per_day,
    maxParallel: max_parallel,
  });
}

/** The same way back. */
export function fieldsOf(attributes: Given<UserAttributes>): Partial<UserFields> {
  const { name, expiresAt, models, requestsPerMinute, tokensPerDay, maxParallel } = attributes;
  return given<UserFields>({
    name,
    expires_at: typeof expiresAt === "number" ? new Date(expiresAt).toISOString() : expiresAt,
    models,
    requests_per_minute: requestsPerMinute,
    tokens_per_day: tokensPerDay,
    max_parallel: maxParallel,
  });
}

/** All of a user but the token. */
export function describeUser(user: User) {
  const { id, createdAt, disabledAt, token: _, ...attributes } = user;
  return {
    user_id: id,
    created_at: new Date(createdAt).toISOString(),
    disabled_at: disabledAt === null ? null : new Date(disabledAt).toISOString(),
    ...fieldsOf(attributes),
  };
}

function given<Fields extends object>(fields: Given<Fields>): Partial<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Partial<Fields>;
}
