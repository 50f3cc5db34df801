import type { Priority } from "./relay/routing/priority.ts";

interface UserAttribute {
  /** Its name in the code; the key of the table is its name in JSON. */
  attribute: string;
  kind: keyof JsonValues;
  /** Its name for people. */
  label: string;
  about: string;
  /** The unit of a limit, shown after the number. */
  unit?: string;
  example: JsonValues[keyof JsonValues];
}

interface JsonValues {
  text: string;
  /** RFC 3339. */
  time: string;
  models: readonly string[];
  /** A whole number, at least 1. */
  limit: number;
  /** An amount of money in units of the server's currency, above 0. */
  amount: number;
  priority: Priority;
  /** Tags of agents. */
  tags: readonly string[];
}

interface StoredValues extends Omit<JsonValues, "time" | "amount"> {
  /** Milliseconds since 1970. */
  time: number;
  /** In micros, which are millionths of the currency's unit. */
  amount: number;
}

/**
 * The attributes of a user besides id and tokens. Each value may be null: no name, no end, every model, no
 * limit, no budget, the priority `normal`, every agent. From this table come the fields of the API, the attributes in the code, the flags of the command
 * line, and the dashboard's form. A new limit also needs a column with its migration
 * (`store/sqlite`), and what enforces it (`auth/limits/limits.ts`).
 */
export const USER_ATTRIBUTES = {
  name: {
    attribute: "name",
    kind: "text",
    label: "Name",
    about: "A name for people to read.",
    example: "Ann",
  },
  expires_at: {
    attribute: "expiresAt",
    kind: "time",
    label: "Valid until",
    about: "The user's tokens are refused from this time on.",
    example: "2027-12-31T23:59:59.000Z",
  },
  models: {
    attribute: "models",
    kind: "models",
    label: "Models",
    about: "The models, or aliases of models, that the user may use.",
    example: ["llama3.2"],
  },
  requests_per_minute: {
    attribute: "requestsPerMinute",
    kind: "limit",
    label: "Requests per minute",
    unit: "requests/min",
    about: "Requests within any 60 seconds.",
    example: 100,
  },
  tokens_per_day: {
    attribute: "tokensPerDay",
    kind: "limit",
    label: "Tokens per day",
    unit: "tokens/day",
    about: "Input and output tokens within a day, in UTC.",
    example: 50_000,
  },
  max_parallel: {
    attribute: "maxParallel",
    kind: "limit",
    label: "Concurrent requests",
    unit: "concurrent",
    about: "Requests that run or wait at the same time.",
    example: 4,
  },
  budget_day: {
    attribute: "budgetDayMicros",
    kind: "amount",
    label: "Budget per day",
    unit: "a day",
    about: "What the user's requests may cost within a day, in UTC, in units of the currency.",
    example: 5,
  },
  budget_month: {
    attribute: "budgetMonthMicros",
    kind: "amount",
    label: "Budget per month",
    unit: "a month",
    about: "What the user's requests may cost within a calendar month, in UTC, in units of the currency.",
    example: 100,
  },
  priority: {
    attribute: "priority",
    kind: "priority",
    label: "Priority",
    about: "How often the user's waiting requests have their turn: high, normal or low.",
    example: "high",
  },
  agent_tags: {
    attribute: "agentTags",
    kind: "tags",
    label: "Agent tags",
    about: "The user's requests go only to agents that have at least one of these tags.",
    example: ["home"],
  },
} as const satisfies Record<string, UserAttribute>;

type Table = typeof USER_ATTRIBUTES;
export type UserField = keyof Table;

/** A user's attributes in JSON. */
export type UserFields = { [Field in UserField]: JsonValues[Table[Field]["kind"]] | null };

/** A user's attributes in the code and in the store. */
export type UserAttributes = {
  [Field in UserField as Table[Field]["attribute"]]: StoredValues[Table[Field]["kind"]] | null;
};

export const USER_FIELDS = Object.keys(USER_ATTRIBUTES) as UserField[];

/** The fields that are limits. */
export type LimitField = {
  [Field in UserField]: Table[Field]["kind"] extends "limit" ? Field : never;
}[UserField];

export const LIMIT_FIELDS = USER_FIELDS.filter(
  (field): field is LimitField => USER_ATTRIBUTES[field].kind === "limit",
);

/** The fields that are amounts of money. */
export type AmountField = {
  [Field in UserField]: Table[Field]["kind"] extends "amount" ? Field : never;
}[UserField];

export const AMOUNT_FIELDS = USER_FIELDS.filter(
  (field): field is AmountField => USER_ATTRIBUTES[field].kind === "amount",
);

const MICROS = 1_000_000;

type Given<Values> = { [Name in keyof Values]?: Values[Name] | undefined };

/** Returns the attributes for the fields that are given, null among them. */
export function attributesOf(fields: Given<UserFields>): Partial<UserAttributes> {
  const attributes: Record<string, unknown> = {};
  for (const field of USER_FIELDS) {
    const value = fields[field];
    if (value !== undefined) attributes[USER_ATTRIBUTES[field].attribute] = toStored(field, value);
  }
  return attributes as Partial<UserAttributes>;
}

/** The inverse of `attributesOf`. */
export function fieldsOf(attributes: UserAttributes): UserFields;
export function fieldsOf(attributes: Given<UserAttributes>): Partial<UserFields>;
export function fieldsOf(attributes: Given<UserAttributes>): Partial<UserFields> {
  const fields: Record<string, unknown> = {};
  for (const field of USER_FIELDS) {
    const value = attributes[USER_ATTRIBUTES[field].attribute];
    if (value !== undefined) fields[field] = toJson(field, value);
  }
  return fields as Partial<UserFields>;
}

/** Removes the attributes that are null: for a new user they mean the same as no value. */
export function withoutNulls<Values extends object>(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)) as Values;
}

function toStored(field: UserField, value: UserFields[UserField]) {
  const { kind } = USER_ATTRIBUTES[field];
  if (kind === "time" && typeof value === "string") return Date.parse(value);
  if (kind === "amount" && typeof value === "number") return Math.round(value * MICROS);
  return Array.isArray(value) ? [...new Set(value)] : value;
}

function toJson(field: UserField, value: UserAttributes[keyof UserAttributes]) {
  const { kind } = USER_ATTRIBUTES[field];
  if (kind === "time" && typeof value === "number") return new Date(value).toISOString();
  return kind === "amount" && typeof value === "number" ? value / MICROS : value;
}
