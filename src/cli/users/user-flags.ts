import { USER_ATTRIBUTES, USER_FIELDS, type UserField } from "../../user-attributes.ts";
import type { Flag } from "../args.ts";

/** The placeholders for values in help texts, by kind of attribute. */
const VALUES = { text: "<name>", time: "<time>", models: "<models>", limit: "<number>" };

/** The flags for the attributes of a user. */
export const ATTRIBUTE_FLAGS: Record<string, Flag & { value: string }> = Object.fromEntries(
  USER_FIELDS.map((field) => {
    const { kind, about } = USER_ATTRIBUTES[field];
    return [flagNameOf(field), { value: VALUES[kind], help: about }];
  }),
);

export const GRACE_FLAG = {
  grace: { value: "<time>", help: "rotate: how long the old token stays valid (0)." },
} satisfies Record<string, Flag>;

export const JSON_FLAG = { json: { help: "Print JSON, for programs." } } satisfies Record<string, Flag>;

/** Returns the name of a field's flag: `expires` for `expires_at`, `max-parallel` for `max_parallel`. */
export function flagNameOf(field: UserField): string {
  return field.replace(/_at$/, "").replaceAll("_", "-");
}
