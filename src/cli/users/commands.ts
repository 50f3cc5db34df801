import { describeUser } from "../../auth/user-fields.ts";
import type { User } from "../../auth/users.ts";
import { CommandError } from "../../errors.ts";
import { fieldsOf } from "../../user-attributes.ts";
import { USER_FIELD_FLAGS, type UserFlag } from "../user-flags.ts";
import { importUsers } from "./import.ts";
import { cardOfUser, tableOfUsers, toJson } from "./show.ts";
import { findUser, type UserCommand, type UserWork } from "./work.ts";

export interface Subcommand {
  /** Looks at the argument before the database is opened. */
  start: (subject: string) => UserCommand;
  subject?: "<user>" | "<auth.db>";
  flags: readonly UserFlag[];
  /** It needs one of them. */
  wantsFlag?: boolean;
  /** It gives out tokens, so it needs the key that seals them. */
  makesTokens?: boolean;
  /** It may begin a data folder. */
  makesData?: boolean;
}

const list: UserCommand = async ({ users, json, now, io }) => {
  const listed = await users.list();
  io.out(json ? toJson({ users: listed.map(describeUser) }) : tableOfUsers(listed, now));
};

const show: UserCommand = async (work) => tell(work, await findUser(work));

const add: UserCommand = async (work) => {
  const { users, audit, io, json, now } = work;
  const attributes = withoutNulls(work.attributes);
  const id = crypto.randomUUID();
  const given = fieldsOf(attributes);
  const { token } = await audit.change(noteOf("user.add", id, given), () => users.add(attributes, id));
  if (json) return io.out(toJson({ token, user_id: id, ...given }));
  const user = await users.find(id);
  if (user) io.out(cardOfUser(user, now, token));
};

const set: UserCommand = async (work) => {
  const { users, audit, attributes } = work;
  const { id } = await findUser(work);
  const note = noteOf("user.change", id, fieldsOf(attributes));
  await audit.change(note, () => users.change(id, attributes));
  await tellAnew(work, id);
};

const disable: UserCommand = async (work) => {
  const { id } = await findUser(work);
  await work.audit.change(noteOf("user.disable", id), () => work.users.disable(id));
  await tellAnew(work, id);
};

const enable: UserCommand = async (work) => {
  const { id } = await findUser(work);
  await work.audit.change(noteOf("user.enable", id), () => work.users.enable(id));
  await tellAnew(work, id);
};

const rotate: UserCommand = async (work) => {
  const { users, audit, graceMs, io, json, now } = work;
  const user = await findUser(work);
  const note = noteOf("user.rotate", user.id, { grace_seconds: graceMs / 1000 });
  const token = await audit.change(note, () => users.rotate(user.id, graceMs));
  if (token === false) throw gone();
  io.out(json ? toJson({ token, user_id: user.id }) : cardOfUser(user, now, token));
};

const remove: UserCommand = async (work) => {
  const { users, audit, io, json } = work;
  const { id } = await findUser(work);
  await audit.change(noteOf("user.delete", id), () => users.delete(id));
  io.out(json ? toJson({ user_id: id, deleted: true }) : "user deleted\n");
};

export const USER_COMMANDS: Record<string, Subcommand> = {
  add: { start: () => add, flags: USER_FIELD_FLAGS, makesTokens: true, makesData: true },
  list: { start: () => list, flags: [] },
  show: { start: () => show, subject: "<user>", flags: [] },
  set: { start: () => set, subject: "<user>", flags: USER_FIELD_FLAGS, wantsFlag: true },
  disable: { start: () => disable, subject: "<user>", flags: [] },
  enable: { start: () => enable, subject: "<user>", flags: [] },
  rotate: { start: () => rotate, subject: "<user>", flags: ["grace"], makesTokens: true },
  delete: { start: () => remove, subject: "<user>", flags: [] },
  import: { start: importUsers, subject: "<auth.db>", flags: [], makesTokens: true, makesData: true },
};

function noteOf(action: string, target: string, detail: Record<string, unknown> | null = null) {
  return { actor: "cli", action, target, detail } as const;
}

function tell({ io, json, now }: UserWork, user: User): void {
  io.out(json ? toJson(describeUser(user)) : cardOfUser(user, now));
}

async function tellAnew(work: UserWork, id: string): Promise<void> {
  const user = await work.users.find(id);
  if (!user) throw gone();
  tell(work, user);
}

const gone = () => new CommandError("the user was deleted meanwhile");

function withoutNulls<Attributes extends object>(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null)) as Attributes;
}
