import { isNull, sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  customType,
  doublePrecision,
  index,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { PRIORITIES } from "../../relay/routing/priority.ts";
import type { PairingFields } from "../store.ts";

/*
 * The tables of `sqlite/schema.ts` for PostgreSQL. All times are milliseconds since 1970. A change here takes
 * effect only through a migration: generate it with `bun run migration --name <name>` and add its file to
 * migrations.ts. Servers of the version before must be able to use the changed database.
 */

/** Numbers up to 2^53, so that no value that is an integer in JavaScript is refused. */
const whole = (name: string) => bigint(name, { mode: "number" });
const sequence = () => whole("seq").generatedByDefaultAsIdentity();
/** Drizzle's own type would store the text of the JSON as a JSON string. */
const json = <Value>(name: string) =>
  customType<{ data: Value; driverData: Value }>({ dataType: () => "jsonb" })(name);
const bytes = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });

/** `seq` is the order of insertion. */
export const users = pgTable("users", {
  seq: sequence().primaryKey(),
  id: text("id").notNull().unique(),
  createdAt: whole("created_at").notNull(),
  name: text("name"),
  expiresAt: whole("expires_at"),
  disabledAt: whole("disabled_at"),
  models: json<string[]>("models"),
  requestsPerMinute: whole("requests_per_minute"),
  tokensPerDay: whole("tokens_per_day"),
  maxParallel: whole("max_parallel"),
  priority: text("priority", { enum: PRIORITIES }),
  agentTags: json<string[]>("agent_tags"),
  budgetDayMicros: whole("budget_day_micros"),
  budgetMonthMicros: whole("budget_month_micros"),
});

export const tokens = pgTable(
  "tokens",
  {
    hash: text("hash").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    sealed: bytes("sealed").notNull(),
    createdAt: whole("created_at").notNull(),
    expiresAt: whole("expires_at"),
  },
  (table) => [index("tokens_user_id").on(table.userId)],
);

export const sessions = pgTable("sessions", {
  seq: sequence(),
  hash: text("hash").primaryKey(),
  userId: text("user_id").references(() => users.id, { onDelete: "cascade" }),
  keyHash: text("key_hash").notNull(),
  isSecure: boolean("is_secure").notNull(),
  createdAt: whole("created_at").notNull(),
  expiresAt: whole("expires_at").notNull(),
  address: text("address"),
  userAgent: text("user_agent"),
});

export const signInCodes = pgTable("sign_in_codes", {
  hash: text("hash").primaryKey(),
  expiresAt: whole("expires_at").notNull(),
});

export const conversations = pgTable(
  "conversations",
  {
    id: text("id").primaryKey(),
    userId: text("user_id").references(() => users.id, { onDelete: "cascade" }),
    agent: text("agent").notNull(),
    createdAt: whole("created_at").notNull(),
    usedAt: whole("used_at").notNull(),
    kept: boolean("kept").notNull().default(false),
    model: text("model"),
    length: whole("length").notNull().default(0),
  },
  (table) => [
    index("conversations_user_id_used_at").on(table.userId, table.usedAt),
    index("conversations_used_at").on(table.usedAt),
  ],
);

/** The texts are UTF-8 in bytes, as the type `text` refuses U+0000. */
export const turns = pgTable(
  "turns",
  {
    seq: sequence().primaryKey(),
    conversationId: text("conversation_id")
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    id: text("id").notNull(),
    parentId: text("parent_id"),
    question: bytes("question").notNull(),
    answer: bytes("answer").notNull(),
    createdAt: whole("created_at").notNull(),
  },
  (table) => [unique("turns_conversation_id_id").on(table.conversationId, table.id)],
);

/** The partial index lets no two servers add keys of one name. */
export const agentKeys = pgTable(
  "agent_keys",
  {
    seq: sequence(),
    id: text("id").primaryKey(),
    name: text("name").notNull(),
    hash: text("hash").notNull().unique(),
    models: json<string[]>("models"),
    createdAt: whole("created_at").notNull(),
    revokedAt: whole("revoked_at"),
    priority: whole("priority"),
    weight: doublePrecision("weight"),
    tags: json<string[]>("tags"),
    ownerId: text("owner_id").references(() => users.id, { onDelete: "set null" }),
    showsName: boolean("shows_name").notNull().default(false),
  },
  (table) => [uniqueIndex("agent_keys_active_name").on(table.name).where(isNull(table.revokedAt))],
);

export const pairings = pgTable("pairings", {
  seq: sequence(),
  hash: text("hash").primaryKey(),
  id: text("id").notNull().unique(),
  name: text("name"),
  given: json<PairingFields>("given").notNull(),
  expiresAt: whole("expires_at").notNull(),
});

export const audit = pgTable(
  "audit",
  {
    seq: sequence().primaryKey(),
    at: whole("at").notNull(),
    actor: text("actor", { enum: ["admin", "cli", "agent", "user"] }).notNull(),
    action: text("action").notNull(),
    target: text("target"),
    detail: json<Record<string, unknown>>("detail"),
    address: text("address"),
    requestId: text("request_id"),
  },
  (table) => [index("audit_at").on(table.at)],
);

/**
 * The server chooses `id`, in the order of time, so that rows can be written again when it does not know
 * whether they were. It takes the place of `seq`.
 */
export const usage = pgTable(
  "usage",
  {
    id: uuid("id").primaryKey(),
    at: whole("at").notNull(),
    requestId: text("request_id").notNull(),
    userId: text("user_id"),
    agent: text("agent"),
    model: text("model"),
    surface: text("surface").notNull(),
    outcome: text("outcome").notNull(),
    upstreamStatus: whole("status"),
    tries: whole("tries").notNull(),
    queueMs: whole("queue_ms").notNull(),
    firstByteMs: whole("first_byte_ms"),
    durationMs: whole("duration_ms").notNull(),
    inputTokens: whole("prompt_tokens"),
    outputTokens: whole("completion_tokens"),
    cachedTokens: whole("cached_tokens"),
    cacheCreationTokens: whole("cache_creation_tokens"),
    reasoningTokens: whole("reasoning_tokens"),
    tokensEstimated: boolean("tokens_estimated"),
    agentName: text("agent_name"),
    error: text("error"),
    failures: text("failures"),
    isAffine: boolean("is_affine"),
    audioMs: whole("audio_ms"),
    images: whole("images"),
    searchUnits: whole("search_units"),
    inputBytes: whole("input_bytes"),
    outputBytes: whole("output_bytes"),
    costNanos: whole("cost_nanos"),
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

export const traffic = pgTable(
  "traffic",
  {
    stepMs: whole("step_ms").notNull(),
    kind: text("kind").notNull(),
    at: whole("at").notNull(),
    name: text("name").notNull(),
    run: text("run").notNull(),
    expiresAt: whole("expires_at").notNull(),
    data: text("data").notNull(),
  },
  (table) => [
    uniqueIndex("traffic_step").on(table.stepMs, table.kind, table.at, table.name, table.run),
    index("traffic_expires_at").on(table.expiresAt),
  ],
);

export const responseObjects = pgTable(
  "response_objects",
  {
    key: text("key").primaryKey(),
    userId: text("user_id").references(() => users.id, { onDelete: "cascade" }),
    usedAt: whole("used_at").notNull(),
    revision: whole("revision").notNull(),
    length: whole("length").notNull(),
    body: bytes("body").notNull(),
  },
  (table) => [
    index("response_objects_user_id_used_at").on(table.userId, table.usedAt),
    index("response_objects_used_at").on(table.usedAt),
  ],
);

export const responseItems = pgTable(
  "response_items",
  {
    key: text("key").primaryKey(),
    objectKey: text("object_key")
      .notNull()
      .references(() => responseObjects.key, { onDelete: "cascade" }),
  },
  (table) => [index("response_items_object_key").on(table.objectKey)],
);

export const refusals = pgTable(
  "refusals",
  {
    at: whole("at").notNull(),
    principal: text("principal").notNull(),
    reason: text("reason").notNull(),
    run: text("run").notNull(),
    count: whole("count").notNull(),
  },
  (table) => [primaryKey({ columns: [table.at, table.principal, table.reason, table.run] })],
);

export const usageNames = pgTable(
  "usage_names",
  {
    kind: text("kind", { enum: ["agent", "user"] }).notNull(),
    id: text("id").notNull(),
    name: text("name").notNull(),
    seenAt: whole("seen_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.id] })],
);

/** `value` is a text, as the type `jsonb` would change the order of keys. */
export const settings = pgTable("settings", {
  name: text("name").primaryKey(),
  value: text("value").notNull(),
  changedAt: whole("changed_at").notNull(),
});

/** One row: the migrations that the database has had, and the lowest version of a program that can use it. */
export const server = pgTable("server", {
  version: whole("version").notNull(),
  readableFrom: whole("readable_from").notNull(),
});
