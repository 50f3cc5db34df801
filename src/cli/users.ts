import type { AuditAction } from "../audit-actions.ts";
import { type Audit, createAudit } from "../auth/audit.ts";
import { loadSeal, type Seal } from "../auth/seal.ts";
import { sharedKeys } from "../auth/secret.ts";
import {
  createUsers,
  describeUser,
  nameDetail,
  type User,
  type Users,
  type UserWithToken,
} from "../auth/users.ts";
import { sealKeyIn } from "../data-folder.ts";
import { CommandError, usageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { fieldsOf, type UserAttributes, withoutNulls } from "../user-attributes.ts";
import { type Flags, readArgs } from "./args.ts";
import { COMMANDS } from "./commands.ts";
import { type Command, counted, type Terminal, toJson } from "./terminal.ts";
import { findUser } from "./users/find-user.ts";
import { ATTRIBUTE_FLAGS, GRACE_FLAG, JSON_FLAG, readAttributes, readGrace } from "./users/flags.ts";
import { readReferenceUsers } from "./users/reference-users.ts";
import { cardOfUser, tableOfUsers } from "./users/show.ts";
import { withStore } from "./with-store.ts";

/** The dependencies of a subcommand. */
interface Work {
  users: Users;
  audit: Audit;
  /** The id or name of a user; empty if none was given. */
  subject: string;
  /** The attributes that were given. A null removes a value. */
  attributes: Partial<UserAttributes>;
  graceMs: number;
  /** The users of the file to import. */
  imported: readonly UserWithToken[];
  json: boolean;
  now: number;
  io: Terminal;
}

interface Subcommand {
  /** Throws a `CommandError` or an `AppError` if it fails. */
  run: (work: Work) => Promise<void>;
  argument?: "<user>" | "<auth.db>";
  flags?: Flags;
  needsFlag?: boolean;
  /** Whether it makes tokens, and so needs the key that encrypts them. */
  makesTokens?: boolean;
}

/** Manages the users in the local database. A running server follows within a second. */
export const users: Command = async ([word = "", ...args], io) => {
  const subcommand = Object.hasOwn(SUBCOMMANDS, word) ? SUBCOMMANDS[word] : undefined;
  if (!subcommand) throw unknownSubcommand(word);
  const { argument, flags: ownFlags, needsFlag, makesTokens } = subcommand;
  const { settings, flags, positionals } = readArgs(
    { args, env: io.env },
    { settings: COMMANDS.users.settings, flags: { ...ownFlags, ...JSON_FLAG } },
  );
  const { json } = flags;
  const now = Date.now();
  const attributes = readAttributes(flags, now);
  const graceMs = readGrace(flags);
  const [subject = "", ...more] = positionals;
  if (more.length > 0 || (subject !== "") !== (argument !== undefined))
    throw usageError(`Give ${argument ? `one ${argument}` : "no argument"} after users ${word}.`);
  if (needsFlag && Object.keys(attributes).length === 0)
    throw usageError("There is nothing to set. Give a flag, such as --max-parallel 4.");
  const imported = argument === "<auth.db>" ? readReferenceUsers(subject) : [];
  const { sealKey } = sharedKeys(settings);
  await withStore(settings, (store) => {
    const seal = makesTokens ? loadSeal({ sealKey, path: sealKeyIn(settings.data) }) : NO_SEAL;
    const audit = createAudit({ audit: store.audit });
    const users = createUsers({ users: store.users, seal });
    return subcommand.run({ users, audit, subject, attributes, graceMs, imported, json, now, io });
  });
  return 0;
};

/** For subcommands that neither make nor show a token, so that they need no key. */
const NO_SEAL: Seal = {
  seal: () => {
    throw new Error("this command has no key to seal with");
  },
  open: () => undefined,
};

function unknownSubcommand(word: string): CommandError {
  const names = Object.keys(SUBCOMMANDS);
  const meant = word === "" ? undefined : nearest(word, names);
  const advice = meant ? `Did you mean ${meant}?` : `Give one of: ${names.join(", ")}.`;
  return usageError(
    `${word === "" ? "users needs a subcommand" : `Unknown command users ${word}`}. ${advice}`,
  );
}

const SUBCOMMANDS: Record<string, Subcommand> = {
  add: { run: add, flags: ATTRIBUTE_FLAGS, makesTokens: true },
  list: { run: list },
  show: { run: async (work) => print(work, await findUser(work.users, work.subject)), argument: "<user>" },
  set: { run: set, argument: "<user>", flags: ATTRIBUTE_FLAGS, needsFlag: true },
  disable: { run: (work) => switchTo("disable", work), argument: "<user>" },
  enable: { run: (work) => switchTo("enable", work), argument: "<user>" },
  rotate: { run: rotate, argument: "<user>", flags: GRACE_FLAG, makesTokens: true },
  delete: { run: remove, argument: "<user>" },
  import: { run: importAll, argument: "<auth.db>", makesTokens: true },
};

async function list({ users, json, now, io }: Work): Promise<void> {
  const listed = await users.list();
  io.out(json ? toJson({ users: listed.map(describeUser) }) : tableOfUsers(listed, now));
}

async function add(work: Work): Promise<void> {
  const { users, audit, io, json, now } = work;
  const attributes = withoutNulls(work.attributes);
  const id = crypto.randomUUID();
  const given = fieldsOf(attributes);
  const { token } = await audit.change(noteOf("user.add", id, given), () => users.add(attributes, id));
  if (json) return io.out(toJson({ token, user_id: id, ...given }));
  const user = await users.find(id);
  if (user) io.out(cardOfUser(user, now, token));
}

async function set(work: Work): Promise<void> {
  const { users, audit, attributes } = work;
  const { id } = await findUser(work.users, work.subject);
  const note = noteOf("user.change", id, fieldsOf(attributes));
  await audit.change(note, () => users.change(id, attributes));
  await printCurrent(work, id);
}

async function switchTo(state: "disable" | "enable", work: Work): Promise<void> {
  const user = await findUser(work.users, work.subject);
  const { id } = user;
  await work.audit.change(noteOf(`user.${state}`, id, nameDetail(user)), () => work.users[state](id));
  await printCurrent(work, id);
}

async function rotate(work: Work): Promise<void> {
  const { users, audit, graceMs, io, json, now } = work;
  const user = await findUser(work.users, work.subject);
  const note = noteOf("user.rotate", user.id, { ...nameDetail(user), grace_seconds: graceMs / 1000 });
  const token = await audit.change(note, () => users.rotate(user.id, graceMs));
  if (token === false) throw deleted();
  io.out(json ? toJson({ token, user_id: user.id }) : cardOfUser(user, now, token));
}

async function remove(work: Work): Promise<void> {
  const { users, audit, io, json } = work;
  const user = await findUser(work.users, work.subject);
  const { id } = user;
  await audit.change(noteOf("user.delete", id, nameDetail(user)), () => users.delete(id));
  io.out(json ? toJson({ user_id: id, deleted: true }) : "Deleted the user.\n");
}

/** Imports the users of the reference server, with their ids and tokens: all of them, or none. */
async function importAll({ users, audit, imported: rows, json, io }: Work): Promise<void> {
  const { imported, already } = await audit.change(
    { actor: "cli", action: "user.import", detail: { users: rows.length } },
    async () => {
      const { conflicts, ...result } = await users.importAll(rows);
      // The ids come from a file of unknown origin. Quoted, they cannot garble the terminal.
      for (const { user_id, reason } of conflicts) io.err(`The user ${JSON.stringify(user_id)} ${reason}.\n`);
      if (conflicts.length > 0)
        throw new CommandError(
          `Imported no users: ${conflicts.length} of ${rows.length} cannot be imported.`,
        );
      return result;
    },
  );
  const text = `Imported ${counted(imported, "user")}; ${already} existed already.\n`;
  io.out(json ? toJson({ imported, already }) : text);
}

function noteOf(action: AuditAction, target: string, detail: Record<string, unknown> | null) {
  return { actor: "cli", action, target, detail } as const;
}

function print({ io, json, now }: Work, user: User): void {
  io.out(json ? toJson(describeUser(user)) : cardOfUser(user, now));
}

/** Prints the user as they are after a change. */
async function printCurrent(work: Work, id: string): Promise<void> {
  const user = await work.users.find(id);
  if (!user) throw deleted();
  print(work, user);
}

const deleted = () => new CommandError("Another process has deleted the user.");
