import type { Child } from "hono/jsx/dom";
import { useState } from "../state/hooks.ts";
import { compareNames } from "../texts/texts.ts";
import { classNames } from "./class-names.ts";
import { hasContent } from "./has-content.ts";
import { ScrollArea } from "./scroll-area.tsx";

export interface Column<Row> {
  title: string;
  cell: (row: Row) => Child;
  /** Makes the column sortable. Undefined and null sort last. */
  sortBy?: (row: Row) => string | number | null | undefined;
  /** Aligns the column to the right. */
  isNumber?: boolean;
  /** Marks the one column that names the row, for screen readers. */
  isHeader?: boolean;
  /** Leaves the column out where not all have room, because another page or dialog has its value. */
  isMinor?: boolean;
}

interface TableProps<Row> {
  /** Says what the table lists. For screen readers only. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
  /** Shown if there are no rows. */
  empty?: Child;
}

/** A browser forgets that these elements are a table when they are laid out as cards. */
export const ROLES = {
  table: { role: "table" },
  rows: { role: "rowgroup" },
  row: { role: "row" },
  header: { role: "rowheader" },
  cell: { role: "cell" },
} as const;

interface SortOrder {
  column: number;
  isDescending: boolean;
}

export function Table<Row>({ caption, columns, rows, keyOf, empty }: TableProps<Row>) {
  const [order, setOrder] = useState<SortOrder | undefined>(undefined);
  if (rows.length === 0 && hasContent(empty)) return <>{empty}</>;
  const toggleSort = (column: number) =>
    setOrder((before) => ({ column, isDescending: before?.column === column && !before.isDescending }));
  return (
    <ScrollArea label={caption}>
      <table {...ROLES.table} class="cards">
        <caption class="off-screen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <HeaderCell
                column={column}
                order={order?.column === index ? order : undefined}
                onSort={() => toggleSort(index)}
              />
            ))}
          </tr>
        </thead>
        <tbody {...ROLES.rows}>
          {sortRows(rows, order && columns[order.column]?.sortBy, order?.isDescending ?? false).map((row) => (
            <tr key={keyOf(row)} {...ROLES.row}>
              {columns.map(({ title, cell, isHeader, isNumber, isMinor }) =>
                isHeader ? (
                  <th scope="row" {...ROLES.header}>
                    {cell(row)}
                  </th>
                ) : (
                  <td
                    class={classNames(isNumber && "number", isMinor && "minor")}
                    data-title={title}
                    {...ROLES.cell}
                  >
                    <div>{cell(row)}</div>
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollArea>
  );
}

interface HeaderCellProps<Row> {
  column: Column<Row>;
  order: SortOrder | undefined;
  onSort: () => void;
}

function HeaderCell<Row>({ column, order, onSort }: HeaderCellProps<Row>) {
  const { title, sortBy, isNumber, isMinor } = column;
  const direction = order?.isDescending ? "descending" : "ascending";
  return (
    <th
      scope="col"
      class={classNames(isNumber && "number", isMinor && "minor")}
      aria-sort={order ? direction : null}
    >
      {sortBy ? (
        <button type="button" class="sort" onClick={onSort}>
          {title}
          <span aria-hidden="true">{order ? (order.isDescending ? "\u00a0↓" : "\u00a0↑") : "\u00a0↕"}</span>
        </button>
      ) : (
        title
      )}
    </th>
  );
}

function sortRows<Row>(
  rows: readonly Row[],
  sortBy: Column<Row>["sortBy"],
  isDescending: boolean,
): readonly Row[] {
  if (!sortBy) return rows;
  return rows.toSorted((one, other) => {
    const [a, b] = [sortBy(one), sortBy(other)];
    if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1;
    if (b === null || b === undefined) return -1;
    const difference = typeof a === "number" && typeof b === "number" ? a - b : compareTexts(a, b);
    return isDescending ? -difference : difference;
  });
}

function compareTexts(a: string | number, b: string | number): number {
  return compareNames(String(a), String(b));
}
