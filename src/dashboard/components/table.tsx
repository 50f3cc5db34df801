import { type Child, useState } from "hono/jsx/dom";
import { classNames } from "./class-names.ts";
import { hasContent } from "./has-content.ts";
import { ScrollArea } from "./scroll-area.tsx";

export interface Column<Row> {
  title: string;
  cell: (row: Row) => Child;
  /** Makes the column sortable; what is undefined or null goes to the end. */
  sortBy?: (row: Row) => string | number | null | undefined;
  /** Figures, which are set to the right. */
  isNumber?: boolean;
  /** Names the row, for screen readers: one column at most. */
  isHeader?: boolean;
}

interface TableProps<Row> {
  /** Says what it lists; drawn for screen readers only. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
  /** In place of rows. */
  empty?: Child;
}

interface Order {
  column: number;
  isDown: boolean;
}

export function Table<Row>({ caption, columns, rows, keyOf, empty }: TableProps<Row>) {
  const [order, setOrder] = useState<Order | undefined>(undefined);
  if (rows.length === 0 && hasContent(empty)) return <>{empty}</>;
  const turn = (column: number) =>
    setOrder((before) => ({ column, isDown: before?.column === column && !before.isDown }));
  return (
    <ScrollArea label={caption}>
      <table>
        <caption class="off-screen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <Head
                column={column}
                order={order?.column === index ? order : undefined}
                onTurn={() => turn(index)}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {sortRows(rows, order && columns[order.column]?.sortBy, order?.isDown ?? false).map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ cell, isHeader, isNumber }) =>
                isHeader ? (
                  <th scope="row">{cell(row)}</th>
                ) : (
                  <td class={classNames(isNumber && "number")}>{cell(row)}</td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollArea>
  );
}

interface HeadProps<Row> {
  column: Column<Row>;
  order: Order | undefined;
  onTurn: () => void;
}

function Head<Row>({ column, order, onTurn }: HeadProps<Row>) {
  const { title, sortBy, isNumber } = column;
  const direction = order?.isDown ? "descending" : "ascending";
  return (
    <th scope="col" class={classNames(isNumber && "number")} aria-sort={order ? direction : null}>
      {sortBy ? (
        <button type="button" class="sort" onClick={onTurn}>
          {title}
          <span aria-hidden="true">{order ? (order.isDown ? " ↓" : " ↑") : " ↕"}</span>
        </button>
      ) : (
        title
      )}
    </th>
  );
}

function sortRows<Row>(rows: readonly Row[], sortBy: Column<Row>["sortBy"], isDown: boolean): readonly Row[] {
  if (!sortBy) return rows;
  return rows.toSorted((one, other) => {
    const [a, b] = [sortBy(one), sortBy(other)];
    if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1;
    if (b === null || b === undefined) return -1;
    const difference = typeof a === "number" && typeof b === "number" ? a - b : compareTexts(a, b);
    return isDown ? -difference : difference;
  });
}

function compareTexts(a: string | number, b: string | number): number {
  return String(a).localeCompare(String(b), "en", { numeric: true, sensitivity: "base" });
}
