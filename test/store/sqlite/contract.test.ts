import { Database } from "bun:sqlite";
import { onTestFinished } from "bun:test";
import { join } from "node:path";
import { openTestFile, tempFolder } from "../../support/store.ts";
import type { BackEnd } from "../contract/back-end.ts";
import { testContract } from "../contract/contract.ts";

const sqlite: BackEnd = {
  async create() {
    const path = join(tempFolder(), "server.db");
    await openTestFile(path).close();
    const database = new Database(path);
    onTestFinished(() => database.close());
    database.run("PRAGMA foreign_keys = ON");
    return {
      open: async (options) => openTestFile(path, options),
      query: async (statement) => database.query<Record<string, unknown>, []>(statement).all(),
    };
  },
};

testContract(sqlite);
