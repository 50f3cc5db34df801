import { z } from "zod";
import { AppError } from "../../errors.ts";
import { USAGE_GROUPS, type UsageGroup } from "../../store/store.ts";
import { DAY_MS } from "../../time.ts";

const PERIOD_DAYS = 30;
const ENTRIES_MAX = 10_000;

const TIME_HINT = "give a date such as 2026-11-23, or a time such as 2026-11-23T08:00:00Z";
const time = z
  .string()
  // The plus sign of a time zone arrives as a blank if it was not escaped.
  .transform((text) => text.replace(" ", "+"))
  .pipe(z.union([z.iso.date(), z.iso.datetime({ offset: true })], TIME_HINT))
  .optional();

function groups<Group extends UsageGroup>(allowed: readonly Group[]) {
  const isAllowed = (name: string): name is Group => allowed.some((group) => group === name);
  return z
    .string()
    .default("day")
    .transform((text, context) => {
      const names = text === "" ? [] : [...new Set(text.split(",").map((name) => name.trim()))];
      if (names.every(isAllowed)) return names;
      context.addIssue(`give some of: ${allowed.join(", ")}`);
      return z.NEVER;
    });
}

/** The query for one user's usage. */
export const UserUsageQuery = z.object({
  from: time.describe("A date, or a time in RFC 3339. Default: 30 days ago."),
  to: time.describe(
    "The same. A date includes its whole day, in UTC; a time is excluded. Default: the end of today.",
  ),
  by: groups(USAGE_GROUPS).describe(
    "Some of `user`, `agent`, `model` and `day`, separated by commas. Empty: one sum.",
  ),
  format: z.enum(["json", "csv"], "give json or csv").default("json").describe("CSV is for spreadsheets."),
  limit: z
    .string()
    .regex(/^\d{1,5}$/)
    .default("1000")
    .transform(Number)
    .refine((count) => count >= 1 && count <= ENTRIES_MAX, `give a number from 1 to ${ENTRIES_MAX}`)
    .describe(`The maximum number of entries, up to ${ENTRIES_MAX}.`),
});

export const UsageQuery = UserUsageQuery.extend({
  user: z.string().optional().describe("Only this user. `admin` is the holder of the admin key."),
});

/** Which users there are and which agent answered is not for users to know. */
export const OwnUsageQuery = UserUsageQuery.extend({
  by: groups(["model", "day"]).describe("`model`, `day`, or both separated by a comma. Empty: one sum."),
});

/**
 * Returns the asked period in milliseconds since 1970. Throws an `AppError` request_invalid if it is empty.
 */
export function periodOf({ from, to }: { from?: string | undefined; to?: string | undefined }, now: number) {
  const end = to === undefined ? endOfDay(now) : endOf(to);
  const start = from === undefined ? endOfDay(end - 1) - PERIOD_DAYS * DAY_MS : Date.parse(from);
  if (start >= end)
    throw new AppError("request_invalid", { param: "to", hint: "`to` must be after `from`." });
  return { from: start, to: end };
}

function endOf(text: string): number {
  const at = Date.parse(text);
  return text.includes("T") ? at : at + DAY_MS;
}

function endOfDay(at: number): number {
  return (Math.floor(at / DAY_MS) + 1) * DAY_MS;
}
