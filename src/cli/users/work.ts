import type { Audit } from "../../auth/audit.ts";
import type { User, Users } from "../../auth/users.ts";
import { CommandError } from "../../errors.ts";
import type { Io } from "../io.ts";
import type { UserArguments } from "./flags.ts";

/** What a subcommand is given. */
export interface UserWork extends Omit<UserArguments, "positionals" | "data"> {
  users: Users;
  audit: Audit;
  /** The user, or the file, that was named; empty where nothing was. */
  subject: string;
  now: number;
  io: Io;
}

/** Throws a `CommandError` or an `AppError` where it cannot do its work. */
export type UserCommand = (work: UserWork) => Promise<void>;

const LISTED_MAX = 5;

/** The user with the id, or the only one with the name. */
export async function findUser({ users, subject }: UserWork): Promise<User> {
  const byId = await users.find(subject);
  if (byId) return byId;
  const named = (await users.list()).filter(({ name }) => name === subject);
  const [only, ...others] = named;
  if (!only) throw new CommandError(`no user has the id or the name ${JSON.stringify(subject)}`);
  if (others.length === 0) return only;
  const ids = named.slice(0, LISTED_MAX).map(({ id }) => JSON.stringify(id).slice(1, -1));
  const more = named.length > LISTED_MAX ? ", …" : "";
  throw new CommandError(
    `${named.length} users have the name ${JSON.stringify(subject)}: give an id (${ids.join(", ")}${more})`,
  );
}
