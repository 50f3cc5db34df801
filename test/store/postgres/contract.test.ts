import { afterAll, onTestFinished } from "bun:test";
import { openPostgres } from "../../../src/store/postgres/open.ts";
import { createDatabase, describeWithPostgres, statementsOn } from "../../support/postgres.ts";
import type { BackEnd } from "../contract/back-end.ts";
import { testContract } from "../contract/contract.ts";

/** Faster than TRUNCATE, which makes new files. */
const EMPTY = `
  DELETE FROM users; DELETE FROM conversations; DELETE FROM agent_keys; DELETE FROM audit; DELETE FROM usage;
  DELETE FROM traffic; DELETE FROM response_objects; DELETE FROM refusals; DELETE FROM usage_names;
  DELETE FROM sessions; DELETE FROM sign_in_codes; DELETE FROM pairings; DELETE FROM settings;
  ALTER SEQUENCE audit_seq_seq RESTART`;

type Database = Awaited<ReturnType<typeof createDatabase>>;
const made: Database[] = [];
/** The databases that no test uses. To empty one takes a tenth of the time to make one. */
const free: Database[] = [];

const postgres: BackEnd = {
  async create() {
    const used = free.pop();
    const database = used ?? (await createDatabase());
    const query = statementsOn(database.url);
    if (used) await query(EMPTY);
    else made.push(database);
    onTestFinished(() => void free.push(database));
    return {
      async open(options) {
        const onError = (error: Error) => {
          throw error;
        };
        const { store } = await openPostgres({ onError, ...options, url: database.url });
        onTestFinished(() => store.close());
        return store;
      },
      query,
    };
  },
};

describeWithPostgres("the store in PostgreSQL", () => {
  testContract(postgres);
  afterAll(async () => {
    for (const { drop } of made) await drop();
  });
});
