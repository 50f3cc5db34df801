import { describeUser } from "../../auth/user-fields.ts";
import type { User } from "../../auth/users.ts";
import { table } from "../text-table.ts";

export const toJson = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;

const NOTHING = "-";
const HEAD = ["NAME", "ID", "STATE", "EXPIRES", "REQ/MIN", "TOKENS/DAY", "PARALLEL", "MODELS"];

/** A line for each, under a head. */
export function tableOfUsers(users: readonly User[], now: number): string {
  if (users.length === 0) return "no users\n";
  const rows = users.map((user) => [
    shown(user.name),
    shown(user.id),
    stateOf(user, now),
    shown(user.expiresAt && new Date(user.expiresAt).toISOString().slice(0, 10)),
    shown(user.requestsPerMinute),
    shown(user.tokensPerDay),
    shown(user.maxParallel),
    modelsOf(user),
  ]);
  return table([HEAD, ...rows]);
}

/** All of one, without the token unless that is new. */
export function cardOfUser(user: User, now: number, token?: string): string {
  const { created_at, disabled_at, expires_at } = describeUser(user);
  return table([
    ...(token === undefined ? [] : [["token", token]]),
    ["id", shown(user.id)],
    ["name", shown(user.name)],
    ["state", stateOf(user, now)],
    ["created", created_at],
    ...(disabled_at === null ? [] : [["disabled", disabled_at]]),
    ["expires", expires_at ?? "never"],
    ["models", modelsOf(user)],
    ["requests per minute", user.requestsPerMinute?.toString() ?? "no limit"],
    ["tokens per day", user.tokensPerDay?.toString() ?? "no limit"],
    ["max parallel", user.maxParallel?.toString() ?? "no limit"],
  ]);
}

function stateOf({ disabledAt, expiresAt }: User, now: number): string {
  if (disabledAt !== null) return "disabled";
  return expiresAt !== null && expiresAt <= now ? "expired" : "active";
}

const modelsOf = ({ models }: User) => models?.join(", ") ?? "all";

/** Ids were perhaps imported: their control characters are not to play with the terminal. */
function shown(value: string | number | null): string {
  return value === null ? NOTHING : String(value).replace(/\p{Cc}/gu, "\u{fffd}");
}
