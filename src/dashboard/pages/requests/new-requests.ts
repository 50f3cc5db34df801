import type { ShownPage } from "./request-source.ts";

/** Returns how many requests of the newest page are newer than those of another: `12`, or `50+`; undefined if none is. */
export function countNew(shown: ShownPage, newest: ShownPage): string | undefined {
  const [first] = shown.requests;
  const isFirst = (one: ShownPage["requests"][number]) =>
    one.request_id === first?.request_id && one.at === first.at;
  const count = newest.requests.findIndex(isFirst);
  if (count >= 0) return count > 0 ? String(count) : undefined;
  const { requests, next } = newest;
  if (requests.length === 0) return undefined;
  // Nothing of what is shown is on the newest page any more, unless nothing was shown.
  return first === undefined && next === null ? String(requests.length) : `${requests.length}+`;
}
