import { z } from "zod";
import { AppError } from "../../errors.ts";
import { USAGE_GROUPS, type UsageGroup, type UsageStore } from "../../store/store.ts";
import { DAY_MS } from "../../time.ts";
import { parseShape } from "../middleware/body.ts";

const PERIOD_DAYS = 30;
const LIMIT_MAX = 10_000;

const TIME_HINT = "give a date such as 2026-11-23, or a time such as 2026-11-23T08:00:00Z";
const time = z
  .string()
  // An unescaped plus sign of a zone arrives as a blank.
  .transform((text) => text.replace(" ", "+"))
  .pipe(z.union([z.iso.date(), z.iso.datetime({ offset: true })], TIME_HINT))
  .optional();

/** What the routes of usage take in the query. */
export const UsageQuery = z.object({
  /** Default: the beginning of the day 29 days before the last. A date is the beginning of its day, in UTC. */
  from: time,
  /** Default: the end of this day. A date is the end of its day; a time does not count itself. */
  to: time,
  /** Some of the groups, separated by commas; none of them gives one sum of all. */
  by: z
    .string()
    .default("day")
    .transform((text) => (text === "" ? [] : text.split(",").map((name) => name.trim())))
    .pipe(z.array(z.enum(USAGE_GROUPS, `give some of: ${USAGE_GROUPS.join(", ")}`)))
    .transform((groups) => [...new Set(groups)]),
  format: z.enum(["json", "csv"], "give json or csv").default("json"),
  limit: z
    .string()
    .regex(/^\d{1,5}$/)
    .default("1000")
    .transform(Number)
    .refine((count) => count >= 1 && count <= LIMIT_MAX, `give a number from 1 to ${LIMIT_MAX}`),
  /** As `principalNamed` reads it: `admin`, or a user's id. For administrators only. */
  user: z.string().optional(),
});

export interface UsageQuestion extends Omit<Parameters<UsageStore["sum"]>[0], "principal"> {
  format: "json" | "csv";
  /** As given. */
  user?: string | undefined;
}

/** Throws an `AppError` request_invalid with a hint that names the field. `allowed` are the groups the caller may see. */
export function readUsageQuery(
  query: Record<string, string>,
  now: number,
  allowed: readonly UsageGroup[] = USAGE_GROUPS,
): UsageQuestion {
  const { from, to, by, ...rest } = parseShape(UsageQuery, query, "request_invalid");
  if (by.some((group) => !allowed.includes(group)))
    throw new AppError("request_invalid", {
      param: "by",
      hint: `\`by\` is not valid: give some of: ${allowed.join(", ")}.`,
    });
  const end = to === undefined ? endOfDay(now) : endOf(to);
  const start = from === undefined ? endOfDay(end - 1) - PERIOD_DAYS * DAY_MS : Date.parse(from);
  if (start >= end)
    throw new AppError("request_invalid", { param: "to", hint: "`to` must be after `from`." });
  return { from: start, to: end, by, ...rest };
}

function endOf(text: string): number {
  const at = Date.parse(text);
  return text.includes("T") ? at : at + DAY_MS;
}

function endOfDay(at: number): number {
  return (Math.floor(at / DAY_MS) + 1) * DAY_MS;
}
