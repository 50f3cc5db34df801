import { blob, index, integer, sqliteTable, text, unique } from "drizzle-orm/sqlite-core";

/*
 * All times are milliseconds since 1970. A change here takes effect only through a migration: generate it
 * with `bun run migration --name <what>` and add its file to migrations.ts.
 */

/** `seq` is the order of insertion, and is never used twice. */
export const users = sqliteTable("users", {
  seq: integer("seq").primaryKey({ autoIncrement: true }),
  id: text("id").notNull().unique(),
  createdAt: integer("created_at").notNull(),
});

/** `hash` is the SHA-256 of the token in lower-case hex, `sealed` the token as `auth/seal.ts` encrypts it. */
export const tokens = sqliteTable(
  "tokens",
  {
    hash: text("hash").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    sealed: blob("sealed", { mode: "buffer" }).notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [index("tokens_user_id").on(table.userId)],
);

/** `userId` is null for the holder of the admin key. Its index is for the cascade when a user is deleted. */
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
  },
  (table) => [
    index("conversations_user_id").on(table.userId),
    index("conversations_used_at").on(table.usedAt),
  ],
);

/** The words of the kept conversations. `seq` is their order; `parentId` is a turn of the same conversation. */
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
