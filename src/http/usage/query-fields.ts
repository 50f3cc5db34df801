import { z } from "zod";
import { DAY_MS } from "../../durations.ts";
import { text } from "../values.ts";

/* The fields that the queries of the usage, of requests and of traffic share. */

const TIME_HINT = "give a date such as 2026-11-23, or a time such as 2026-11-23T08:00:00Z";

/** A UTC date, or a time in RFC 3339. */
export const timeOrDate = text
  // The plus sign of a time zone arrives as a blank if it was not escaped.
  .transform((text) => text.replace(" ", "+"))
  .pipe(z.union([z.iso.date(), z.iso.datetime({ offset: true })], TIME_HINT))
  .optional();

/** Returns the end of a date, or the time itself, in milliseconds since 1970. */
export function endOf(timeOrDate: string): number {
  return Date.parse(timeOrDate) + (timeOrDate.includes("T") ? 0 : DAY_MS);
}

const NAME_LENGTH_MAX = 256;

/** The name or the id of what is chosen. */
export const nameFilter = text.max(NAME_LENGTH_MAX, `give at most ${NAME_LENGTH_MAX} characters`).optional();
