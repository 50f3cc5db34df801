import { useRef } from "hono/jsx/dom";
import { useEffect } from "./hooks.ts";

/** How long to wait for the next letter. */
const TYPING_MS = 400;

/**
 * Returns a function that takes what is typed into some fields, and passes the last text of each on after a pause. Nothing
 * is passed on once the component is gone.
 */
export function useTyping<Typed extends object>(pass: (typed: Typed) => void): (typed: Typed) => void {
  const latest = useRef(pass);
  latest.current = pass;
  const waiting = useRef<Typed | undefined>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current ?? undefined), []);
  return (typed) => {
    const all = { ...waiting.current, ...typed };
    waiting.current = all;
    clearTimeout(timer.current ?? undefined);
    timer.current = setTimeout(() => {
      waiting.current = undefined;
      latest.current?.(all);
    }, TYPING_MS);
  };
}
