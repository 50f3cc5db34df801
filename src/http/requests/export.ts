import { csvStream } from "../csv.ts";
import { LIMIT_MAX } from "./schema.ts";

type Cells = readonly (string | number | null)[];

export interface Part {
  rows: readonly Cells[];
  /** The place after which the next part begins; null if there are no more rows. */
  next: string | null;
}

/** Reads at most `limit` rows after a place. */
type ReadPart = (before: string | null, limit: number) => Promise<Part>;

/**
 * Returns a function that makes long lists of requests a file. Only one part is read at a time, however many files are
 * being sent, so that they take no more than their share of the database.
 */
export function createExports() {
  let last: Promise<unknown> = Promise.resolve();

  function inTurn<Value>(read: () => Promise<Value>): Promise<Value> {
    const own = last.then(read);
    last = own.catch(() => {});
    return own;
  }

  async function* partsOf(columns: Cells, limit: number, read: ReadPart, before: string | null) {
    yield [columns];
    let place = before;
    for (let left = limit; left > 0; ) {
      const { rows, next } = await inTurn(() => read(place, Math.min(left, LIMIT_MAX)));
      // A part may be empty, as it looks through a bounded number of rows.
      if (rows.length > 0) yield rows;
      if (next === null) return;
      left -= rows.length;
      place = next;
    }
  }

  return (
    fileName: string,
    { columns, limit, before }: { columns: Cells; limit: number; before: string | null },
    read: ReadPart,
  ): Response => csvStream(fileName, partsOf(columns, limit, read, before));
}
