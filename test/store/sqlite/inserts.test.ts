import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { prepareInserts } from "../../../src/store/sqlite/inserts.ts";

test("any number of rows is inserted, each once, in order, and with each value in its column", () => {
  for (const count of [0, 1, 9, 10, 11, 20, 27]) {
    using raw = new Database(":memory:", { strict: true });
    raw.run("CREATE TABLE rows (seq INTEGER PRIMARY KEY, user_name TEXT, number INTEGER)");
    const insert = prepareInserts(raw, "rows", { number: "number", name: "user_name" });
    const rows = Array.from({ length: count }, (_, number) => ({
      name: number % 3 === 0 ? null : `user ${number}`,
      number,
    }));

    insert(rows);

    expect(raw.query<unknown, []>("SELECT number, user_name AS name FROM rows ORDER BY seq").all()).toEqual(
      rows,
    );
  }
});

test("rows are inserted whole or not at all when one of them is refused in a transaction", () => {
  using raw = new Database(":memory:", { strict: true });
  raw.run("CREATE TABLE rows (number INTEGER NOT NULL)");
  const insert = prepareInserts<{ number: number | null }, "number">(raw, "rows", { number: "number" });
  const rows = Array.from({ length: 25 }, (_, number) => ({ number: number === 17 ? null : number }));

  expect(raw.transaction(() => insert(rows))).toThrow("NOT NULL");

  expect(raw.query<{ count: number }, []>("SELECT count(*) AS count FROM rows").get()?.count).toBe(0);
});
