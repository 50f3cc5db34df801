import { useState } from "hono/jsx/dom";
import { Button } from "../../components/button.tsx";

const ROWS = 50;

/** Returns the rows of a long list to show, and the line below the list that shows more. */
export function useShowMore<Row>(rows: readonly Row[]) {
  const [count, setCount] = useState(ROWS);
  const shown = rows.slice(0, count);
  const more =
    rows.length > shown.length ? (
      <div class="more row">
        <span class="muted">
          {shown.length} of {rows.length}
        </span>
        <Button isSmall onClick={() => setCount((before) => before + ROWS)}>
          Show {Math.min(ROWS, rows.length - shown.length)} more
        </Button>
      </div>
    ) : null;
  return { shown, more };
}
