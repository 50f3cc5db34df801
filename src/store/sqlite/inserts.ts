import type { Database } from "bun:sqlite";

type Value = string | number | null;

/** Ten rows in one statement take a fifth less time than ten statements. More rows save no more. */
const ROWS_AT_ONCE = 10;

/**
 * Returns a function that inserts rows into a table, several with each statement. `columns` has the name of the column
 * of each field; a row without one has null there. It is prepared without drizzle, which would take as long as SQLite itself.
 */
export function prepareInserts<
  Row extends { readonly [Name in Field]?: Value | undefined },
  Field extends string,
>(raw: Database, table: string, columns: Record<Field, string>): (rows: readonly Row[]) => void {
  const fields = Object.keys(columns) as Field[];
  const row = `(${fields.map(() => "?")})`;
  const prepare = (count: number) =>
    raw.prepare<never, Value[]>(
      `INSERT INTO ${table} (${Object.values(columns)}) VALUES ${new Array(count).fill(row)}`,
    );
  const [one, several] = [prepare(1), prepare(ROWS_AT_ONCE)];
  const cellOf = (row: Row, field: Field): Value => row[field] ?? null;
  const valuesOf = (rows: readonly Row[]) => rows.flatMap((row) => fields.map((field) => cellOf(row, field)));
  return (rows) => {
    const left = rows.length % ROWS_AT_ONCE;
    const whole = rows.length - left;
    for (let from = 0; from < whole; from += ROWS_AT_ONCE)
      several.run(...valuesOf(rows.slice(from, from + ROWS_AT_ONCE)));
    for (const row of rows.slice(whole)) one.run(...valuesOf([row]));
  };
}
