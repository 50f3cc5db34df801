import type { AgentKeyFields } from "../../api/api.ts";
import type { AgentKey, User } from "../../api/types.ts";
import { readNameList } from "../../name-list.ts";
import { type TextKey, text } from "../../texts/texts.ts";

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
  const typed = (name: keyof KeyFormValues) => (fields[name] ?? "").trim();
  const isChanged = (name: keyof KeyFormValues) => typed(name) !== before[name];
  const changes: AgentKeyFields = {};
  if (isChanged("priority")) changes.priority = readNumber(typed("priority"), "agentKeys.priority.fault");
  if (isChanged("weight")) changes.weight = readNumber(typed("weight"), "agentKeys.weight.fault");
  if (isChanged("tags")) changes.tags = readNameList(typed("tags")) ?? null;
  if (isChanged("owner")) changes.owner_id = typed("owner") === "" ? null : await findOwner(typed("owner"));
  if (isChanged("shows_name")) changes.shows_name = typed("shows_name") === "on";
  return changes;
}

function readNumber(typed: string, fault: TextKey): number | null {
  if (typed === "") return null;
  const value = Number(typed);
  if (Number.isNaN(value)) throw new Error(text(fault));
  return value;
}

/** Returns the id of the user with this id or, if only one has it, this name. Throws an `Error` for people. */
export function ownerIdOf(typed: string, users: readonly User[]): string {
  const found =
    users.find(({ user_id }) => user_id === typed) ?? users.filter(({ name }) => name === typed).at(0);
  if (!found) throw new Error(text("agentKeys.owner.unknown", { text: typed }));
  if (found.user_id !== typed && users.filter(({ name }) => name === typed).length > 1)
    throw new Error(text("agentKeys.owner.several", { text: typed }));
  return found.user_id;
}

type KeyPreference = Pick<AgentKey, "priority" | "weight" | "tags" | "shows_name">;

/** Returns what a key says about its agents besides the owner, in a few words; empty if it says nothing. */
export function preferenceText({ priority, weight, tags, shows_name }: KeyPreference): string {
  return [
    ...(priority === null ? [] : [text("agentKeys.preference.priority", { value: priority })]),
    ...(weight === null ? [] : [text("agentKeys.preference.weight", { value: weight })]),
    ...(tags ? [text("agentKeys.preference.tags", { tags: tags.join(" ") })] : []),
    ...(shows_name ? [text("agentKeys.preference.showsName")] : []),
  ].join(", ");
}
