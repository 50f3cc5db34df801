import type { Audit } from "../../auth/audit.ts";
import type { User, Users } from "../../auth/users.ts";
import { CommandError } from "../../errors.ts";
import type { UserAttributes } from "../../user-attributes.ts";
import type { Terminal } from "../terminal.ts";

/** The dependencies of a subcommand. */
export interface UserWork {
  users: Users;
  audit: Audit;
  /** The user or the file that was named; empty if none was. */
  subject: string;
  /** The attributes that were given. A null removes a value. */
  attributes: Partial<UserAttributes>;
  graceMs: number;
  json: boolean;
  now: number;
  io: Terminal;
}

/** Throws a `CommandError` or an `AppError` if it fails. */
export type UserCommand = (work: UserWork) => Promise<void>;

const LISTED_MAX = 5;

/** Returns the user with the id, or the only user with the name. */
export async function findUser({ users, subject }: UserWork): Promise<User> {
  const byId = await users.find(subject);
  if (byId) return byId;
  const named = (await users.list()).filter(({ name }) => name === subject);
  const [only, ...others] = named;
  if (!only) throw new CommandError(`No user has the id or the name ${JSON.stringify(subject)}.`);
  if (others.length === 0) return only;
  const ids = named.slice(0, LISTED_MAX).map(({ id }) => JSON.stringify(id).slice(1, -1));
  const more = named.length > LISTED_MAX ? ", …" : "";
  throw new CommandError(
    `${named.length} users have the name ${JSON.stringify(subject)}. Give an id: ${ids.join(", ")}${more}`,
  );
}
