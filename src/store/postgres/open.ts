import { CommandError, messageOfError } from "../../errors.ts";
import { once } from "../../once.ts";
import type { Store } from "../store.ts";
import { type After, afterDelay } from "../write-behind.ts";
import { createAgentKeyStore } from "./agent-keys.ts";
import { createAuditStore } from "./audit.ts";
import { createConversationStore } from "./conversations.ts";
import { migrate } from "./migrations.ts";
import { createPairingStore } from "./pairings.ts";
import { createPools, type Pools } from "./pools.ts";
import { createTrafficStore } from "./records/traffic.ts";
import { createRefusalStore } from "./reports/refusals.ts";
import { createResponseStore } from "./responses.ts";
import { createSessionStore } from "./sessions.ts";
import { createSettingStore } from "./settings.ts";
import { createUsageStore } from "./usage.ts";
import { createUserStore } from "./users.ts";

export interface PostgresOptions {
  /** The database's address, with the user and the password. */
  url: string;
  /** Milliseconds since 1970. */
  now?: (() => number) | undefined;
  /** Schedules the writes behind. */
  after?: After | undefined;
  /** How much of the conversations of each user, and of their responses, is kept. Default: all. */
  conversationQuotaBytes?: number | undefined;
  /** Whether other servers continue the conversations, so that an answer waits until they can. Default: false. */
  isShared?: boolean | undefined;
  /** Called when a write behind failed, with counts in the message. The store retries by itself. */
  onError?: ((error: Error) => void) | undefined;
}

/**
 * Opens a store in a PostgreSQL database, and migrates it. Several servers may have it open. Throws a
 * `CommandError` when the database cannot be used.
 */
export async function openPostgres(options: PostgresOptions): Promise<{ store: Store; isNew: boolean }> {
  const pools = createPools(options.url);
  try {
    const isNew = await migrate(pools.cold);
    return { store: createStore(pools, options), isNew };
  } catch (error) {
    await closeAll(pools);
    throw openError(options.url, error);
  }
}

function createStore(pools: Pools, options: PostgresOptions): Store {
  const { now = Date.now, after = afterDelay, onError = () => {} } = options;
  const { conversationQuotaBytes: quotaBytes, isShared = false } = options;
  const conversations = createConversationStore(pools, { after, onError, now, quotaBytes, isShared });
  const responses = createResponseStore(pools, { after, onError, quotaBytes, isShared });
  const usage = createUsageStore(pools, { after, onError });
  const traffic = createTrafficStore(pools, { after, onError });
  const refusals = createRefusalStore(pools, { after, onError });
  const close = once(async () => {
    const ends = [conversations, responses, usage, traffic, refusals];
    await Promise.all(ends.map((part) => part.end()));
    await closeAll(pools);
  });
  return {
    users: createUserStore(pools, now, (user) => {
      conversations.dropUser(user);
      responses.dropUser(user);
    }),
    agentKeys: createAgentKeyStore(pools, now),
    pairings: createPairingStore(pools, now),
    sessions: createSessionStore(pools, now),
    audit: createAuditStore(pools),
    settings: createSettingStore(pools, now),
    usage,
    traffic,
    refusals,
    conversations,
    responses,
    check: () => checkWrites(pools),
    clock: () => readClock(pools),
    // The database reuses the space of deleted rows by itself.
    compact: async () => 0,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A standby, or a database whose disk is full, is often set to read-only. */
async function checkWrites({ hot }: Pools): Promise<void> {
  const [state] = await hot.read<{ mode: string }>("SELECT current_setting('transaction_read_only') AS mode");
  if (state?.mode !== "off") throw new Error("the database is read-only");
}

async function readClock({ hot }: Pools): Promise<number> {
  const [row] = await hot.read<{ at: number }>(
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at",
  );
  return row?.at ?? Number.NaN;
}

async function closeAll({ hot, cold }: Pools): Promise<void> {
  await Promise.all([hot.close(), cold.close()]);
}

/** Returns an error whose message says in one line why the database cannot be used, without its password. */
export function openError(url: string, error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  const { host, pathname } = new URL(url);
  return new CommandError(
    `Cannot use the database ${pathname.slice(1)} at ${host}: ${messageOfError(error)}. Check --database, and that PostgreSQL runs.`,
    { cause: error },
  );
}
