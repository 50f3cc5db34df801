import { useRef } from "hono/jsx/dom";
import { useEffect } from "./hooks.ts";

/** Calls `run` at intervals while the component is in the page, the page is visible, and `isOn`. */
export function usePoll(run: () => void, everyMs: number, isOn = true): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    if (!isOn) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) latest.current?.();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, isOn]);
}
