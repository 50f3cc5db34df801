import type { AgentKeyFields } from "../../api/api.ts";
import type { AgentKey, User } from "../../api/types.ts";
import { readNameList } from "../../name-list.ts";

/** The texts in the form's fields. A checked box has the text `on`. */
export type KeyFormValues = Record<"priority" | "weight" | "tags" | "owner" | "shows_name", string>;

export const EMPTY_KEY_FORM: KeyFormValues = {
  priority: "",
  weight: "",
  tags: "",
  owner: "",
  shows_name: "",
};

export function keyFormValuesOf({ priority, weight, tags, owner_id, shows_name }: AgentKey): KeyFormValues {
  return {
    priority: String(priority ?? ""),
    weight: String(weight ?? ""),
    tags: (tags ?? []).join(", "),
    owner: owner_id ?? "",
    shows_name: shows_name ? "on" : "",
  };
}

/**
 * Returns the fields that have changed, in the form that the API takes. An empty field becomes null. `findOwner`
 * returns the id of the user that a text names. Throws an `Error` with a text for people.
 */
export async function keyChangesOf(
  before: KeyFormValues,
  fields: Partial<Record<string, string>>,
  findOwner: (text: string) => Promise<string>,
): Promise<AgentKeyFields> {
  const text = (name: keyof KeyFormValues) => (fields[name] ?? "").trim();
  const isChanged = (name: keyof KeyFormValues) => text(name) !== before[name];
  const changes: AgentKeyFields = {};
  if (isChanged("priority")) changes.priority = readNumber(text("priority"), "The priority");
  if (isChanged("weight")) changes.weight = readNumber(text("weight"), "The weight");
  if (isChanged("tags")) changes.tags = readNameList(text("tags")) ?? null;
  if (isChanged("owner")) changes.owner_id = text("owner") === "" ? null : await findOwner(text("owner"));
  if (isChanged("shows_name")) changes.shows_name = text("shows_name") === "on";
  return changes;
}

function readNumber(text: string, what: string): number | null {
  if (text === "") return null;
  const value = Number(text);
  if (Number.isNaN(value)) throw new Error(`${what} must be a number.`);
  return value;
}

/** Returns the id of the user with this id or, if only one has it, this name. Throws an `Error` for people. */
export function ownerIdOf(text: string, users: readonly User[]): string {
  const found =
    users.find(({ user_id }) => user_id === text) ?? users.filter(({ name }) => name === text).at(0);
  if (!found) throw new Error(`No user has the name or the ID “${text}”.`);
  if (found.user_id !== text && users.filter(({ name }) => name === text).length > 1)
    throw new Error(`Several users have the name “${text}”. Enter the ID of one.`);
  return found.user_id;
}

type KeyPreference = Pick<AgentKey, "priority" | "weight" | "tags" | "shows_name">;

/** Returns what a key says about its agents besides the owner, in a few words; empty if it says nothing. */
export function preferenceText({ priority, weight, tags, shows_name }: KeyPreference): string {
  return [
    ...(priority === null ? [] : [`priority ${priority}`]),
    ...(weight === null ? [] : [`weight ${weight}`]),
    ...(tags ? [`tags ${tags.join(" ")}`] : []),
    ...(shows_name ? ["name shown to callers"] : []),
  ].join(", ");
}
