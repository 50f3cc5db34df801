import { sql } from "drizzle-orm";
import {
  blob,
  index,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  unique,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { PRIORITIES } from "../../relay/routing/priority.ts";
import type { PairingFields } from "../store.ts";

/*
 * All times are milliseconds since 1970. A change here takes effect only through a migration: generate it
 * with `bun run migration --name <name>` and add its file to migrations.ts.
 */

/** `seq` is the order of insertion. It is never reused. */
export const users = sqliteTable("users", {
  seq: integer("seq").primaryKey({ autoIncrement: true }),
  id: text("id").notNull().unique(),
  createdAt: integer("created_at").notNull(),
  name: text("name"),
  expiresAt: integer("expires_at"),
  disabledAt: integer("disabled_at"),
  models: text("models", { mode: "json" }).$type<string[]>(),
  requestsPerMinute: integer("requests_per_minute"),
  tokensPerDay: integer("tokens_per_day"),
  maxParallel: integer("max_parallel"),
  priority: text("priority", { enum: PRIORITIES }),
  agentTags: text("agent_tags", { mode: "json" }).$type<string[]>(),
  budgetDayMicros: integer("budget_day_micros"),
  budgetMonthMicros: integer("budget_month_micros"),
});

/**
 * `hash` is the SHA-256 of the token in lower-case hex, `sealed` the token as `auth/seal.ts` encrypts it. A
 * user's newest token has no `expiresAt`. A replaced token is valid until its `expiresAt`.
 */
export const tokens = sqliteTable(
  "tokens",
  {
    hash: text("hash").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    sealed: blob("sealed", { mode: "buffer" }).notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at"),
  },
  (table) => [index("tokens_user_id").on(table.userId)],
);

/**
 * The signed-in browsers. `hash` is the SHA-256 of the cookie, and `keyHash` is of the key that began the session: the
 * hash of the user's token, or a fingerprint of the admin key. `userId` is null for the admin. There are few.
 */
export const sessions = sqliteTable("sessions", {
  hash: text("hash").primaryKey(),
  userId: text("user_id").references(() => users.id, { onDelete: "cascade" }),
  keyHash: text("key_hash").notNull(),
  isSecure: integer("is_secure", { mode: "boolean" }).notNull(),
  createdAt: integer("created_at").notNull(),
  expiresAt: integer("expires_at").notNull(),
  address: text("address"),
  userAgent: text("user_agent"),
});

/** The SHA-256 of each code that signs the administrator in once. */
export const signInCodes = sqliteTable("sign_in_codes", {
  hash: text("hash").primaryKey(),
  expiresAt: integer("expires_at").notNull(),
});

/**
 * `userId` is null for the admin. Its index is for the cascade when a user is deleted, and for the quota, which
 * is of `length`: of the texts, in UTF-16 code units, and some for the rows.
 */
export const conversations = sqliteTable(
  "conversations",
  {
    id: text("id").primaryKey(),
    userId: text("user_id").references(() => users.id, { onDelete: "cascade" }),
    agent: text("agent").notNull(),
    createdAt: integer("created_at").notNull(),
    usedAt: integer("used_at").notNull(),
    kept: integer("kept", { mode: "boolean" }).notNull().default(false),
    model: text("model"),
    length: integer("length").notNull().default(0),
  },
  (table) => [
    index("conversations_user_id_used_at").on(table.userId, table.usedAt),
    index("conversations_used_at").on(table.usedAt),
  ],
);

/** The turns of kept conversations. `seq` is their order, `parentId` a turn of the same conversation. */
export const turns = sqliteTable(
  "turns",
  {
    seq: integer("seq").primaryKey({ autoIncrement: true }),
    conversationId: text("conversation_id")
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    id: text("id").notNull(),
    parentId: text("parent_id"),
    question: text("question").notNull(),
    answer: text("answer").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [unique("turns_conversation_id_id").on(table.conversationId, table.id)],
);

/**
 * The keys of agents, besides the one in the data folder. A revoked key is kept to show its name. There are few,
 * so the look-up of a deleted user's keys needs no index.
 */
export const agentKeys = sqliteTable("agent_keys", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  hash: text("hash").notNull().unique(),
  models: text("models", { mode: "json" }).$type<string[]>(),
  createdAt: integer("created_at").notNull(),
  revokedAt: integer("revoked_at"),
  priority: integer("priority"),
  weight: real("weight"),
  tags: text("tags", { mode: "json" }).$type<string[]>(),
  ownerId: text("owner_id").references(() => users.id, { onDelete: "set null" }),
  showsName: integer("shows_name", { mode: "boolean" }).notNull().default(false),
});

/**
 * The codes that give an agent a key once, by their SHA-256. `id` becomes the key's, and `given` is what the key gets
 * besides a name.
 */
export const pairings = sqliteTable("pairings", {
  hash: text("hash").primaryKey(),
  id: text("id").notNull().unique(),
  name: text("name"),
  given: text("given", { mode: "json" }).$type<PairingFields>().notNull(),
  expiresAt: integer("expires_at").notNull(),
});

/** The changes made by administrators. `detail` has names and numbers, never a secret. */
export const audit = sqliteTable(
  "audit",
  {
    seq: integer("seq").primaryKey({ autoIncrement: true }),
    at: integer("at").notNull(),
    actor: text("actor", { enum: ["admin", "cli", "agent", "user"] }).notNull(),
    action: text("action").notNull(),
    target: text("target"),
    detail: text("detail", { mode: "json" }).$type<Record<string, unknown>>(),
    address: text("address"),
    requestId: text("request_id"),
  },
  (table) => [index("audit_at").on(table.at)],
);

/**
 * One row per ask. It outlives its user, so `userId` is not a foreign key. Null stands for the admin. The indexes
 * begin with the time, so that each row is added at their end: in one by user, the rows of many users touch a page each.
 * `failures` is a JSON list of the tries that failed. `costNanos` is in billionths of the currency's unit, by the prices at
 * its end; null if the model had none. The index of the costs has all that the sum of a month needs.
 */
export const usage = sqliteTable(
  "usage",
  {
    seq: integer("seq").primaryKey({ autoIncrement: true }),
    at: integer("at").notNull(),
    requestId: text("request_id").notNull(),
    userId: text("user_id"),
    agent: text("agent"),
    model: text("model"),
    surface: text("surface").notNull(),
    outcome: text("outcome").notNull(),
    upstreamStatus: integer("status"),
    tries: integer("tries").notNull(),
    queueMs: integer("queue_ms").notNull(),
    firstByteMs: integer("first_byte_ms"),
    durationMs: integer("duration_ms").notNull(),
    inputTokens: integer("prompt_tokens"),
    outputTokens: integer("completion_tokens"),
    cachedTokens: integer("cached_tokens"),
    cacheCreationTokens: integer("cache_creation_tokens"),
    reasoningTokens: integer("reasoning_tokens"),
    tokensEstimated: integer("tokens_estimated", { mode: "boolean" }),
    agentName: text("agent_name"),
    error: text("error"),
    failures: text("failures"),
    isAffine: integer("is_affine", { mode: "boolean" }),
    audioMs: integer("audio_ms"),
    images: integer("images"),
    searchUnits: integer("search_units"),
    inputBytes: integer("input_bytes"),
    outputBytes: integer("output_bytes"),
    costNanos: integer("cost_nanos"),
  },
  (table) => [
    index("usage_at_user_id").on(table.at, table.userId),
    // All that a list may be filtered by, so that only the rows that match are fetched.
    index("usage_failed")
      .on(table.at, table.outcome, table.model, table.userId, table.agent, table.surface)
      .where(sql`outcome <> 'ok'`),
    index("usage_cost")
      .on(table.at, table.userId, table.costNanos, table.durationMs)
      .where(sql`cost_nanos > 0`),
  ],
);

/**
 * The requests that ended in a minute or an hour: of all, or of one agent, model, user or route. `run` is the process
 * that counted them, so that processes change no row in common. `data` is JSON.
 */
export const traffic = sqliteTable(
  "traffic",
  {
    stepMs: integer("step_ms").notNull(),
    kind: text("kind").notNull(),
    at: integer("at").notNull(),
    name: text("name").notNull(),
    run: text("run").notNull(),
    expiresAt: integer("expires_at").notNull(),
    data: text("data").notNull(),
  },
  (table) => [
    uniqueIndex("traffic_step").on(table.stepMs, table.kind, table.at, table.name, table.run),
    index("traffic_expires_at").on(table.expiresAt),
  ],
);

/**
 * The responses of the Responses API with their events, and its conversations. `key` is the id of the owner
 * and the object's own. `usedAt` is when a response was made, or a conversation last used. `body` is compressed JSON.
 */
export const responseObjects = sqliteTable(
  "response_objects",
  {
    key: text("key").primaryKey(),
    userId: text("user_id").references(() => users.id, { onDelete: "cascade" }),
    usedAt: integer("used_at").notNull(),
    revision: integer("revision").notNull(),
    length: integer("length").notNull(),
    body: blob("body", { mode: "buffer" }).notNull(),
  },
  (table) => [
    index("response_objects_user_id_used_at").on(table.userId, table.usedAt),
    index("response_objects_used_at").on(table.usedAt),
  ],
);

/** The items of stored responses, so that a request may name one. `key` is the id of the owner and the item's own. */
export const responseItems = sqliteTable(
  "response_items",
  {
    key: text("key").primaryKey(),
    objectKey: text("object_key")
      .notNull()
      .references(() => responseObjects.key, { onDelete: "cascade" }),
  },
  (table) => [index("response_items_object_key").on(table.objectKey)],
);

/**
 * How many requests of a principal were refused for a reason in the hour that begins `at`. `run` is the process that
 * counted them, so that processes change no row in common.
 */
export const refusals = sqliteTable(
  "refusals",
  {
    at: integer("at").notNull(),
    principal: text("principal").notNull(),
    reason: text("reason").notNull(),
    run: text("run").notNull(),
    count: integer("count").notNull(),
  },
  (table) => [primaryKey({ columns: [table.at, table.principal, table.reason, table.run] })],
);

/** The settings that an administrator has changed while the server ran. `value` is JSON. There are few. */
export const settings = sqliteTable("settings", {
  name: text("name").primaryKey(),
  value: text("value").notNull(),
  changedAt: integer("changed_at").notNull(),
});

/** The names of the agents in the usage, and of the users in it who were deleted. They are kept as long as the usage. */
export const usageNames = sqliteTable(
  "usage_names",
  {
    kind: text("kind", { enum: ["agent", "user"] }).notNull(),
    id: text("id").notNull(),
    name: text("name").notNull(),
    seenAt: integer("seen_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.id] })],
);
