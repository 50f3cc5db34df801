import { CommandError } from "../../errors.ts";

const NAMESAKES_SHOWN_MAX = 5;

interface Named {
  id: string;
  name: string | null;
}

interface UserSource<User extends Named> {
  find(id: string): Promise<User | undefined>;
  list(): Promise<User[]>;
}

/** Returns the user with the id, or the only user with the name. Throws a `CommandError` without one. */
export async function findUser<User extends Named>(users: UserSource<User>, subject: string): Promise<User> {
  const byId = await users.find(subject);
  if (byId) return byId;
  const named = (await users.list()).filter(({ name }) => name === subject);
  const [only, ...others] = named;
  if (!only) throw new CommandError(`No user has the id or the name ${JSON.stringify(subject)}.`);
  if (others.length === 0) return only;
  const ids = named.slice(0, NAMESAKES_SHOWN_MAX).map(({ id }) => JSON.stringify(id).slice(1, -1));
  const more = named.length > NAMESAKES_SHOWN_MAX ? ", …" : "";
  throw new CommandError(
    `${named.length} users have the name ${JSON.stringify(subject)}. Give an id: ${ids.join(", ")}${more}`,
  );
}
