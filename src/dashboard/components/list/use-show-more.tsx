import { useState } from "../../state/hooks.ts";
import { text } from "../../texts/texts.ts";
import { Button } from "../button.tsx";

const ROWS_PER_STEP = 50;

/** Returns the first rows of a long list, and a line to put below it, with a button that shows more rows. */
export function useShowMore<Row>(rows: readonly Row[]) {
  const [count, setCount] = useState(ROWS_PER_STEP);
  const shown = rows.slice(0, count);
  const more =
    rows.length > shown.length ? (
      <div class="more row">
        <span class="muted">{text("showMore.shown", { shown: shown.length, count: rows.length })}</span>
        <Button isSmall onClick={() => setCount((before) => before + ROWS_PER_STEP)}>
          {text("showMore.more", { count: Math.min(ROWS_PER_STEP, rows.length - shown.length) })}
        </Button>
      </div>
    ) : null;
  return { shown, more };
}
