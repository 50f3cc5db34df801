import { AMOUNT_FIELDS, LIMIT_FIELDS, USER_ATTRIBUTES, USER_FIELDS } from "../../../user-attributes.ts";
import type { UserFields } from "../../api/api.ts";
import type { User } from "../../api/types.ts";
import { formatTime } from "../../format.ts";
import { readNameList } from "../../name-list.ts";
import { text as tableText } from "../../texts/texts.ts";

/** The texts in the form's fields. */
export type UserFormValues = Record<keyof UserFields, string>;

export const EMPTY_FORM = Object.fromEntries(USER_FIELDS.map((field) => [field, ""])) as UserFormValues;

export function formValuesOf(user: User): UserFormValues {
  const limits = [...LIMIT_FIELDS, ...AMOUNT_FIELDS].map((field) => [field, String(user[field] ?? "")]);
  return {
    ...EMPTY_FORM,
    name: user.name ?? "",
    // The format of a datetime-local field: in the browser's time zone, to the minute.
    expires_at: user.expires_at === null ? "" : formatTime(user.expires_at).replace(" ", "T"),
    models: (user.models ?? []).join(", "),
    priority: user.priority === "normal" ? "" : (user.priority ?? ""),
    agent_tags: (user.agent_tags ?? []).join(", "),
    ...Object.fromEntries(limits),
  };
}

/**
 * Returns the fields that have changed, in the form that the API takes. An empty field becomes null. Throws
 * an `Error` with a text for people.
 */
export function changesOf(before: UserFormValues, fields: Partial<Record<string, string>>): UserFields {
  const changes: Record<string, unknown> = {};
  for (const name of Object.keys(before) as (keyof UserFormValues)[]) {
    const text = (fields[name] ?? "").trim();
    if (text !== before[name]) changes[name] = text === "" ? null : readField(name, text);
  }
  return changes;
}

function readField(name: keyof UserFormValues, text: string): unknown {
  const { kind, label } = USER_ATTRIBUTES[name];
  return READERS[kind](text, label);
}

const READERS = {
  text: (text: string) => text,
  time: readTime,
  models: readNames,
  limit: readLimit,
  amount: readAmount,
  priority: (text: string) => text,
  tags: readNames,
};

function readTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new Error(tableText("userForm.timeInvalid"));
  return time.toISOString();
}

/** Reads names or tags. The API does not accept an empty list, so a list without names becomes null. */
function readNames(text: string): string[] | null {
  return readNameList(text) ?? null;
}

function readLimit(text: string, label: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(tableText("userForm.limitInvalid", { label }));
  return value;
}

function readAmount(text: string, label: string): number {
  const value = /^\d{1,10}(\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (value === 0) throw new Error(tableText("userForm.amountInvalid", { label }));
  return value;
}
