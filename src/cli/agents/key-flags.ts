import { type AgentKeyFields, agentKeyChanges } from "../../auth/agent-keys.ts";
import { usageError } from "../../errors.ts";
import { ChangeAgentKeyBody } from "../../http/admin/agent-key-schema.ts";
import type { AgentKeyChanges, Store } from "../../store/store.ts";
import type { Flags, FlagValues } from "../args.ts";
import { findUser } from "../users/find-user.ts";

/** The word that removes a value. */
const NONE = "none";

/** The flags of `agents add`, `agents pair` and `agents change`. */
export const KEY_FLAGS = {
  priority: { value: "<number>", help: "Priority of agents with this key; the highest is used first." },
  weight: { value: "<number>", help: "Share of agents with this key among those of their priority." },
  tag: { value: "<tag>", help: "Tag that agents with this key may have. May be repeated.", many: true },
  owner: { value: "<user>", help: "Id or name of the user whose requests come first on these agents." },
  "show-name": { help: "Let callers see the name of the agent that answers." },
  "hide-name": { help: "Do not let callers see it, as is the default." },
} as const satisfies Flags;

/** The flags of `agent` and `agent install`. */
export const AGENT_FLAGS = {
  config: { value: "<file>", help: "Configuration file, in TOML or JSON, with the names of these flags." },
  pair: {
    value: "<code>",
    help: "Pairing code of the server, exchanged once for a key that is kept.",
  },
} as const satisfies Flags;

/** The flag of `agents pair`. */
export const SERVER_FLAG = {
  server: {
    value: "<address>",
    help: "pair: the server's address for agents, such as https://chat.example.com.",
  },
} as const satisfies Flags;

type KeyFlags = FlagValues<typeof KEY_FLAGS>;

const ADVICE: Record<keyof AgentKeyFields, [keyof KeyFlags, string]> = {
  priority: ["priority", "Give a whole number from -1000 to 1000"],
  weight: ["weight", "Give a number above 0, at most 1000"],
  tags: ["tag", "Give at most 32 tags of lower-case letters, digits, dots, hyphens and underscores"],
  owner_id: ["owner", "Give the id or the name of a user"],
  shows_name: ["show-name", "Leave it out"],
};

/** Reads the fields that flags give. Null removes a value. Throws a `CommandError` with exit code 2. */
export function readKeyFlags(flags: KeyFlags): AgentKeyFields {
  if (flags["show-name"] && flags["hide-name"])
    throw usageError("--show-name and --hide-name are both there. Leave one out.");
  const fields = {
    ...given("priority", flags.priority, readNumber),
    ...given("weight", flags.weight, readNumber),
    ...given("tags", flags.tag, (text) => text.split(",").map((tag) => tag.trim())),
    ...given("owner_id", flags.owner, String),
    ...(flags["show-name"] && { shows_name: true }),
    ...(flags["hide-name"] && { shows_name: false }),
  };
  const { data, error } = ChangeAgentKeyBody.safeParse(fields);
  if (data) return data;
  const field = error.issues[0]?.path[0] as keyof AgentKeyFields;
  const [flag, advice] = ADVICE[field];
  throw usageError(`--${flag} is not valid. ${advice}, or ${NONE}.`);
}

function given<Value>(field: string, text: string | undefined, read: (text: string) => Value) {
  return text !== undefined && { [field]: text === NONE ? null : read(text) };
}

function readNumber(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}

const TAKES_FIELDS: ReadonlySet<string> = new Set(["add", "pair", "change"]);

/** Throws a `CommandError` if the subcommand takes no such fields, or needs one. */
export function checkKeyFlags(fields: AgentKeyFields, subcommand: string): void {
  const hasFields = Object.keys(fields).length > 0;
  if (hasFields && !TAKES_FIELDS.has(subcommand))
    throw usageError(
      "--priority, --weight, --tag, --owner, --show-name and --hide-name belong to agents add, agents pair and agents change.",
    );
  if (!hasFields && subcommand === "change")
    throw usageError("There is nothing to change. Give a flag, such as --priority 10.");
}

/** Returns the changes for the fields. The owner may be given by name. Throws a `CommandError`. */
export async function keyChanges(fields: AgentKeyFields, users: Store["users"]): Promise<AgentKeyChanges> {
  const { owner_id } = fields;
  if (typeof owner_id !== "string") return agentKeyChanges(fields);
  return agentKeyChanges({ ...fields, owner_id: (await findUser(users, owner_id)).id });
}
