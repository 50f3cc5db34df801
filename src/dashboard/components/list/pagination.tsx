import { useState } from "../../state/hooks.ts";
import { text } from "../../texts/texts.ts";
import { Button } from "../button.tsx";

interface PaginationProps {
  label: string;
  /** Counted from 0. */
  page: number;
  pageCount: number;
  onTurn: (page: number) => void;
}

/** Buttons that turn the pages of a long list. Renders nothing if there is only one page. */
export function Pagination({ label, page, pageCount, onTurn }: PaginationProps) {
  if (pageCount <= 1) return null;
  return (
    <nav class="row pages" aria-label={label}>
      <Button isSmall disabled={page === 0} onClick={() => onTurn(page - 1)}>
        {text("pagination.previous")}
      </Button>
      <span class="muted">{text("pagination.place", { page: page + 1, count: pageCount })}</span>
      <Button isSmall disabled={page >= pageCount - 1} onClick={() => onTurn(page + 1)}>
        {text("pagination.next")}
      </Button>
    </nav>
  );
}

/** Splits a list into pages, of which `page` is shown, counted from 0. */
export function pagesOf<Row>(rows: readonly Row[], pageRows: number, page: number) {
  const pageCount = Math.max(1, Math.ceil(rows.length / pageRows));
  // The list may have become shorter.
  const shown = Math.min(Math.max(Number.isSafeInteger(page) ? page : 0, 0), pageCount - 1);
  return { shown: rows.slice(shown * pageRows, (shown + 1) * pageRows), page: shown, pageCount };
}

/** Splits a list into pages. A new `key` stands for another list, which starts at its first page. */
export function usePagination<Row>(
  rows: readonly Row[],
  pageRows: number,
  key: string,
): { shown: readonly Row[] } & Omit<PaginationProps, "label"> {
  const [turned, setTurned] = useState({ key, page: 0 });
  return {
    ...pagesOf(rows, pageRows, turned.key === key ? turned.page : 0),
    onTurn: (next) => setTurned({ key, page: next }),
  };
}
