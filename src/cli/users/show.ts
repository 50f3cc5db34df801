import { describeUser, type User } from "../../auth/users.ts";
import { printable } from "../../printable.ts";
import { USER_ATTRIBUTES, USER_FIELDS, type UserField } from "../../user-attributes.ts";
import { table } from "../terminal/text-table.ts";
import { flagNameOf } from "./flags.ts";

/** The text on a card for each kind of attribute that is not set. */
const UNSET = {
  text: "-",
  time: "never",
  models: "all",
  limit: "no limit",
  amount: "none",
  priority: "normal",
  tags: "all",
};

/** The attributes after the name in a table. Models come last, as there may be many. */
const COLUMNS = USER_FIELDS.filter((field) => field !== "name" && field !== "models");

/** Returns a table with one line for each user. */
export function tableOfUsers(users: readonly User[], now: number): string {
  if (users.length === 0) return "No users.\n";
  const head = ["NAME", "ID", "STATE", ...COLUMNS.map((field) => labelOf(field).toUpperCase()), "MODELS"];
  const rows = users.map((user) => {
    const described = describeUser(user);
    const days = { ...described, expires_at: described.expires_at?.slice(0, 10) ?? null };
    const cells = COLUMNS.map((field) => (days[field] === null ? "-" : textOf(days, field)));
    const identity = [shown(user.name ?? "-"), shown(user.id)];
    return [...identity, stateOf(user, now), ...cells, textOf(described, "models")];
  });
  return table([head, ...rows]);
}

/** Returns everything about a user. The token is shown only when it is new. */
export function cardOfUser(user: User, now: number, token?: string): string {
  const described = describeUser(user);
  const { created_at, disabled_at } = described;
  return table([
    ...(token === undefined ? [] : [["token", token]]),
    ["id", shown(user.id)],
    ...USER_FIELDS.map((field) => [labelOf(field), textOf(described, field)]),
    ["state", stateOf(user, now)],
    ["created", created_at],
    ...(disabled_at === null ? [] : [["disabled", disabled_at]]),
  ]);
}

function stateOf({ disabledAt, expiresAt }: User, now: number): string {
  if (disabledAt !== null) return "disabled";
  return expiresAt !== null && expiresAt <= now ? "expired" : "active";
}

const labelOf = (field: UserField) => flagNameOf(field).replaceAll("-", " ");

function textOf(described: ReturnType<typeof describeUser>, field: UserField): string {
  const value = described[field] ?? UNSET[USER_ATTRIBUTES[field].kind];
  return shown(Array.isArray(value) ? value.join(", ") : value);
}

/** An imported id could otherwise garble the terminal. */
function shown(value: unknown): string {
  return printable(String(value));
}
