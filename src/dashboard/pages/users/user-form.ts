import type { UserFields } from "../../api/api.ts";
import type { User } from "../../api/types.ts";
import { formatTime } from "../../format.ts";
import { readNameList } from "../../name-list.ts";

/** As they stand in the form's fields. */
export type UserFormValues = Record<keyof UserFields, string>;

export const EMPTY_FORM: UserFormValues = {
  name: "",
  expires_at: "",
  models: "",
  requests_per_minute: "",
  tokens_per_day: "",
  max_parallel: "",
};

export function formValuesOf(user: User): UserFormValues {
  return {
    name: user.name ?? "",
    // What a field of the type datetime-local takes: in the browser's own zone, to the minute.
    expires_at: user.expires_at === null ? "" : formatTime(user.expires_at).replace(" ", "T"),
    models: (user.models ?? []).join(", "),
    requests_per_minute: String(user.requests_per_minute ?? ""),
    tokens_per_day: String(user.tokens_per_day ?? ""),
    max_parallel: String(user.max_parallel ?? ""),
  };
}

/** Those that differ from before, as the API takes them; an empty field is null. Throws an `Error` with a text for people. */
export function changesOf(before: UserFormValues, fields: Partial<Record<string, string>>): UserFields {
  const changes: Record<string, unknown> = {};
  for (const name of Object.keys(before) as (keyof UserFormValues)[]) {
    const text = (fields[name] ?? "").trim();
    if (text !== before[name]) changes[name] = text === "" ? null : READERS[name](text);
  }
  return changes;
}

const LABELS = {
  requests_per_minute: "Asks a minute",
  tokens_per_day: "Tokens a day",
  max_parallel: "Asks at once",
} as const;

const READERS: Record<keyof UserFormValues, (text: string) => unknown> = {
  name: (text) => text,
  expires_at: readTime,
  models: readModels,
  requests_per_minute: (text) => readLimit(text, LABELS.requests_per_minute),
  tokens_per_day: (text) => readLimit(text, LABELS.tokens_per_day),
  max_parallel: (text) => readLimit(text, LABELS.max_parallel),
};

function readTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new Error("The expiry is no date and time.");
  return time.toISOString();
}

/** An empty list would mean nobody, and is none that the API takes. */
function readModels(text: string): string[] | null {
  return readNameList(text) ?? null;
}

function readLimit(text: string, label: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${label} must be a whole number above 0.`);
  return value;
}
