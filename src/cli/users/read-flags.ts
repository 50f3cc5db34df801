import { time } from "../../config/kinds.ts";
import { CommandError } from "../../errors.ts";
import { AddUserBody } from "../../http/admin/schema.ts";
import {
  attributesOf,
  USER_ATTRIBUTES,
  USER_FIELDS,
  type UserAttributes,
  type UserField,
} from "../../user-attributes.ts";
import { flagNameOf } from "./user-flags.ts";

/** Removes a value, as if it had never been given. */
const NONE = "none";

const ADVICE = {
  text: `Give a name of 1 to 200 characters, or ${NONE}.`,
  time: `Give a time such as 30d, 2026-12-31 or 2026-12-31T18:00:00Z, or ${NONE}.`,
  models: `Give the names of models, separated by commas, or ${NONE}.`,
  limit: `Give a whole number of at least 1, or ${NONE}.`,
};

/** Reads the attributes that flags give. A null removes a value. Throws a `CommandError` with exit code 2. */
export function readAttributes(
  flags: Readonly<Record<string, unknown>>,
  now: number,
): Partial<UserAttributes> {
  const fields: Partial<Record<UserField, unknown>> = {};
  for (const field of USER_FIELDS) {
    const text = flags[flagNameOf(field)];
    if (typeof text === "string") fields[field] = readValue(field, text, now);
  }
  const { data, error } = AddUserBody.safeParse(fields);
  if (data) return attributesOf(data);
  const field = USER_FIELDS.find((name) => name === error.issues[0]?.path[0]);
  throw field ? invalid(field, String(flags[flagNameOf(field)])) : error;
}

function readValue(field: UserField, text: string, now: number): unknown {
  if (text === NONE) return null;
  const { kind } = USER_ATTRIBUTES[field];
  if (kind === "text") return text;
  if (kind === "models") return text.split(",").map((name) => name.trim());
  const value = kind === "time" ? readMoment(text, now) : /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  if (value === undefined) throw invalid(field, text);
  return value;
}

const duration = time("0s", "36500d").schema;

/** Reads a time, a day, which stands for its beginning in UTC, or a duration from now, which has a unit. */
function readMoment(text: string, now: number): string | undefined {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return `${text}T00:00:00Z`;
  if (/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text)) return text;
  const { data } = duration.safeParse(/[a-z]$/i.test(text) ? text : undefined);
  return data === undefined ? undefined : new Date(now + data).toISOString();
}

/** Returns milliseconds; 0 without the flag. Throws a `CommandError` with exit code 2. */
export function readGrace({ grace = "0" }: Readonly<Record<string, unknown>>): number {
  const { data, error } = duration.safeParse(grace);
  if (error) throw wrongValue("--grace", String(grace), error.issues[0]?.message ?? "");
  return data;
}

function invalid(field: UserField, text: string): CommandError {
  return wrongValue(`--${flagNameOf(field)}`, text, ADVICE[USER_ATTRIBUTES[field].kind]);
}

function wrongValue(flag: string, text: string, advice: string): CommandError {
  return new CommandError(`${flag} ${JSON.stringify(text.slice(0, 60))} is not valid. ${advice}`, {
    exitCode: 2,
  });
}
