import { useState } from "hono/jsx/dom";
import { Button } from "./button.tsx";

interface PaginationProps {
  label: string;
  /** From 0. */
  page: number;
  pageCount: number;
  onTurn: (page: number) => void;
}

/** From one page of a long list to the next; nothing where there is one only. */
export function Pagination({ label, page, pageCount, onTurn }: PaginationProps) {
  if (pageCount <= 1) return null;
  return (
    <nav class="row pages" aria-label={label}>
      <Button isSmall disabled={page === 0} onClick={() => onTurn(page - 1)}>
        ← Back
      </Button>
      <span class="muted">
        Page {page + 1} of {pageCount}
      </span>
      <Button isSmall disabled={page >= pageCount - 1} onClick={() => onTurn(page + 1)}>
        Next →
      </Button>
    </nav>
  );
}

/** Cuts a list into pages. When `key` changes it is another list, which begins at its first page. */
export function usePagination<Row>(
  rows: readonly Row[],
  pageRows: number,
  key: string,
): { shown: readonly Row[] } & Omit<PaginationProps, "label"> {
  const [turned, setTurned] = useState({ key, page: 0 });
  const pageCount = Math.max(1, Math.ceil(rows.length / pageRows));
  // A list may have become shorter since.
  const page = Math.min(turned.key === key ? turned.page : 0, pageCount - 1);
  return {
    shown: rows.slice(page * pageRows, (page + 1) * pageRows),
    page,
    pageCount,
    onTurn: (next) => setTurned({ key, page: next }),
  };
}
