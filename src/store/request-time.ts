import { HOUR_MS, MINUTE_MS } from "../durations.ts";
import type { RequestPage, RequestQuery } from "./records.ts";

/** A request is mostly recorded as arriving right after its id was made, and not much later. */
const ID_BEFORE_MS = MINUTE_MS;
const ID_AFTER_MS = HOUR_MS;

/** Returns when an id that is a UUIDv7 was made, in milliseconds since 1970; undefined for any other id. */
function madeAt(requestId: string): number | undefined {
  const [, high, low] =
    /([\da-f]{8})-([\da-f]{4})-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.exec(requestId) ?? [];
  return high === undefined ? undefined : Number.parseInt(`${high}${low}`, 16);
}

/** Reads the page of an id first near the time that is in the id, and all of the period only if nothing is there. */
export async function nearFirst(
  query: RequestQuery,
  read: (query: RequestQuery) => Promise<RequestPage>,
): Promise<RequestPage> {
  const at = madeAt(query.requestId ?? "");
  if (at === undefined) return read(query);
  const from = Math.max(query.from, at - ID_BEFORE_MS);
  const to = Math.min(query.to, at + ID_AFTER_MS);
  const near = from < to ? await read({ ...query, from, to }) : undefined;
  return near && near.requests.length > 0 ? near : read(query);
}
