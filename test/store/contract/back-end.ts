import type { StoreOptions } from "../../../src/store/sqlite/open.ts";
import type { Store } from "../../../src/store/store.ts";

/** The options that every kind of store has. */
export type TestStoreOptions = Pick<StoreOptions, "now" | "after" | "conversationQuotaBytes" | "onError">;

/** Data that stores can be opened on, one after another or at the same time, as by several processes. */
export interface TestData {
  /** Opens a store, which is closed after the test. */
  open(options?: TestStoreOptions): Promise<Store>;
  /** Runs one statement without a store, and returns its rows. Both kinds of store have the same tables. */
  query(statement: string): Promise<Record<string, unknown>[]>;
}

/** A kind of store that keeps the contract of `src/store/store.ts`. */
export interface BackEnd {
  /** Makes data without any row, which are removed after the test. */
  create(): Promise<TestData>;
}

/** Opens a store on data of its own. */
export async function openNew(backEnd: BackEnd, options?: TestStoreOptions): Promise<Store> {
  const data = await backEnd.create();
  return data.open(options);
}

/** Returns the number in the first row, which some databases return as a text. */
export async function countIn(data: TestData, table: string): Promise<number> {
  const [row] = await data.query(`SELECT count(*) AS count FROM ${table}`);
  return Number(row?.["count"]);
}
