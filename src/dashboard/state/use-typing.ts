import { useRef } from "hono/jsx/dom";

/** How long to wait for the next letter. */
const TYPING_MS = 400;

/** Returns a function that takes what is typed, and passes the last of it on after a pause. */
export function useTyping<Typed extends unknown[]>(pass: (...typed: Typed) => void) {
  const latest = useRef(pass);
  latest.current = pass;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  return (...typed: Typed) => {
    clearTimeout(timer.current ?? undefined);
    timer.current = setTimeout(() => latest.current?.(...typed), TYPING_MS);
  };
}
