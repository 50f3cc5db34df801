import { time } from "../../config/kinds.ts";
import { type CommandError, usageError } from "../../errors.ts";
import { AddUserBody } from "../../http/admin/schema.ts";
import {
  attributesOf,
  USER_ATTRIBUTES,
  USER_FIELDS,
  type UserAttributes,
  type UserField,
} from "../../user-attributes.ts";
import type { Flag } from "../args.ts";

/** The word that removes a value, as if it had never been given. */
const NONE = "none";

/** For each kind of attribute, what stands for the value in help texts, and what to do about a wrong one. */
const KINDS = {
  text: { value: "<name>", advice: `Give a name of 1 to 200 characters, or the word ${NONE} for no name.` },
  time: {
    value: "<time>",
    advice: `Give a time such as 30d, 2026-12-31 or 2026-12-31T18:00:00Z, or ${NONE}.`,
  },
  models: { value: "<models>", advice: `Give the names of models, separated by commas, or ${NONE}.` },
  limit: { value: "<number>", advice: `Give a whole number of at least 1, or ${NONE}.` },
  amount: {
    value: "<amount>",
    advice: `Give an amount of the server's currency above 0, such as 2.5, with at most six decimal places, or ${NONE}.`,
  },
  priority: { value: "<class>", advice: `Give high, normal or low, or ${NONE}, which means normal.` },
  tags: {
    value: "<tags>",
    advice: `Give tags of lower-case letters, digits, dots, hyphens and underscores, separated by commas, or ${NONE}.`,
  },
};

type ValueFlags = Record<string, Flag & { value: string }>;

/** The flags for the attributes of a user. */
export const ATTRIBUTE_FLAGS: ValueFlags = Object.fromEntries(
  USER_FIELDS.map((field) => {
    const { kind, about } = USER_ATTRIBUTES[field];
    return [flagNameOf(field), { value: KINDS[kind].value, help: about }];
  }),
);

export const GRACE_FLAG = {
  grace: { value: "<time>", help: "rotate: how long the old token stays valid (0)." },
};

export const JSON_FLAG = { json: { help: "Print JSON, for programs." } };

/** `expires_at` becomes `expires`, and `max_parallel` becomes `max-parallel`. */
export function flagNameOf(field: UserField): string {
  return field.replace(/_at$/, "").replaceAll("_", "-");
}

/** The text of each flag that was given. */
type Texts = Readonly<Record<string, unknown>>;

/** Reads the attributes that flags give. A null removes a value. Throws a `CommandError` with exit code 2. */
export function readAttributes(flags: Texts, now: number): Partial<UserAttributes> {
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
  if (kind === "text" || kind === "priority") return text;
  if (kind === "models" || kind === "tags") return text.split(",").map((name) => name.trim());
  const value = kind === "time" ? readMoment(text, now) : readNumber(text, kind === "amount");
  if (value === undefined) throw invalid(field, text);
  return value;
}

function readNumber(text: string, isAmount: boolean): number | undefined {
  const pattern = isAmount ? /^\d{1,10}(\.\d{1,6})?$/ : /^\d{1,15}$/;
  return pattern.test(text) ? Number(text) : undefined;
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
export function readGrace({ grace = "0" }: Texts): number {
  const { data, error } = duration.safeParse(grace);
  if (error) throw wrongValue("--grace", String(grace), error.issues[0]?.message ?? "");
  return data;
}

function invalid(field: UserField, text: string): CommandError {
  return wrongValue(`--${flagNameOf(field)}`, text, KINDS[USER_ATTRIBUTES[field].kind].advice);
}

function wrongValue(flag: string, text: string, advice: string): CommandError {
  return usageError(`${flag} ${JSON.stringify(text.slice(0, 60))} is not valid. ${advice}`);
}
