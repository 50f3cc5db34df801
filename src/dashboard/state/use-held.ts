import { useRef } from "hono/jsx/dom";
import { useState } from "./hooks.ts";

/**
 * Holds a list that grows at its top while the pointer or the focus is in it, so that a row does not move away from who
 * is about to click it. `hold` is for the element around the list.
 */
export function useHeld<Row>(rows: readonly Row[]) {
  const [held, setHeld] = useState<readonly Row[] | undefined>(undefined);
  const latest = useRef(rows);
  latest.current = rows;
  const start = () => setHeld((before) => before ?? latest.current ?? []);
  const end = () => setHeld(undefined);
  return {
    shown: held ?? rows,
    isHeld: held !== undefined && held !== rows,
    hold: { onMouseEnter: start, onMouseLeave: end, onFocusIn: start, onFocusOut: end },
  };
}
