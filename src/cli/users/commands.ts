import { describeUser, type User } from "../../auth/users.ts";
import { CommandError } from "../../errors.ts";
import { fieldsOf, withoutNulls } from "../../user-attributes.ts";
import type { Flag } from "../args.ts";
import { importUsers } from "./import.ts";
import { cardOfUser, tableOfUsers, toJson } from "./show.ts";
import { findUser, type UserCommand, type UserWork } from "./user-command.ts";
import { ATTRIBUTE_FLAGS, GRACE_FLAG } from "./user-flags.ts";

export interface Subcommand {
  /** Checks the argument before the database is opened. */
  start: (subject: string) => UserCommand;
  subject?: "<user>" | "<auth.db>";
  flags?: Record<string, Flag & { value: string }>;
  /** Whether it needs at least one flag. */
  wantsFlag?: boolean;
  /** Whether it makes tokens, and so needs the key that encrypts them. */
  makesTokens?: boolean;
  /** Whether it may create a data folder. */
  createsData?: boolean;
}

const list: UserCommand = async ({ users, json, now, io }) => {
  const listed = await users.list();
  io.out(json ? toJson({ users: listed.map(describeUser) }) : tableOfUsers(listed, now));
};

const show: UserCommand = async (work) => print(work, await findUser(work));

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
  await printCurrent(work, id);
};

const disable: UserCommand = async (work) => {
  const { id } = await findUser(work);
  await work.audit.change(noteOf("user.disable", id), () => work.users.disable(id));
  await printCurrent(work, id);
};

const enable: UserCommand = async (work) => {
  const { id } = await findUser(work);
  await work.audit.change(noteOf("user.enable", id), () => work.users.enable(id));
  await printCurrent(work, id);
};

const rotate: UserCommand = async (work) => {
  const { users, audit, graceMs, io, json, now } = work;
  const user = await findUser(work);
  const note = noteOf("user.rotate", user.id, { grace_seconds: graceMs / 1000 });
  const token = await audit.change(note, () => users.rotate(user.id, graceMs));
  if (token === false) throw deleted();
  io.out(json ? toJson({ token, user_id: user.id }) : cardOfUser(user, now, token));
};

const remove: UserCommand = async (work) => {
  const { users, audit, io, json } = work;
  const { id } = await findUser(work);
  await audit.change(noteOf("user.delete", id), () => users.delete(id));
  io.out(json ? toJson({ user_id: id, deleted: true }) : "Deleted the user.\n");
};

export const USER_COMMANDS: Record<string, Subcommand> = {
  add: { start: () => add, flags: ATTRIBUTE_FLAGS, makesTokens: true, createsData: true },
  list: { start: () => list },
  show: { start: () => show, subject: "<user>" },
  set: { start: () => set, subject: "<user>", flags: ATTRIBUTE_FLAGS, wantsFlag: true },
  disable: { start: () => disable, subject: "<user>" },
  enable: { start: () => enable, subject: "<user>" },
  rotate: { start: () => rotate, subject: "<user>", flags: GRACE_FLAG, makesTokens: true },
  delete: { start: () => remove, subject: "<user>" },
  import: { start: importUsers, subject: "<auth.db>", makesTokens: true, createsData: true },
};

function noteOf(action: string, target: string, detail: Record<string, unknown> | null = null) {
  return { actor: "cli", action, target, detail } as const;
}

function print({ io, json, now }: UserWork, user: User): void {
  io.out(json ? toJson(describeUser(user)) : cardOfUser(user, now));
}

/** Prints the user as they are after a change. */
async function printCurrent(work: UserWork, id: string): Promise<void> {
  const user = await work.users.find(id);
  if (!user) throw deleted();
  print(work, user);
}

const deleted = () => new CommandError("Another process has deleted the user.");
