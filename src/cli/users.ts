import { createAudit } from "../auth/audit.ts";
import { loadSeal, type Seal } from "../auth/seal.ts";
import { createUsers } from "../auth/users.ts";
import { sealKeyIn } from "../data-folder.ts";
import { CommandError } from "../errors.ts";
import { nearest, readArgs } from "./args.ts";
import { COMMANDS } from "./commands.ts";
import { withStore } from "./local-database.ts";
import type { Command } from "./terminal.ts";
import { USER_COMMANDS } from "./users/commands.ts";
import { readAttributes, readGrace } from "./users/read-flags.ts";
import { JSON_FLAG } from "./users/user-flags.ts";

/** Manages the users in the local database. A running server follows within a second. */
export const users: Command = async ([word = "", ...args], io) => {
  const command = Object.hasOwn(USER_COMMANDS, word) ? USER_COMMANDS[word] : undefined;
  if (!command) throw unknownCommand(word);
  const { settings, flags, positionals } = readArgs(
    { args, env: io.env },
    { settings: COMMANDS.users.settings, flags: { ...command.flags, ...JSON_FLAG } },
  );
  const now = Date.now();
  const attributes = readAttributes(flags, now);
  const graceMs = readGrace(flags);
  const [subject = "", ...more] = positionals;
  if (more.length > 0 || (subject !== "") !== (command.subject !== undefined))
    throw fault(`Give ${command.subject ? `one ${command.subject}` : "no argument"} after users ${word}.`);
  if (command.wantsFlag && Object.keys(attributes).length === 0)
    throw fault("There is nothing to set. Give a flag, such as --max-parallel 4.");
  const run = command.start(subject);
  const { data, sealKey } = settings;
  await withStore({ data, create: command.createsData ?? false }, (store) => {
    const seal = command.makesTokens ? loadSeal({ sealKey, path: sealKeyIn(data) }) : NO_SEAL;
    const audit = createAudit({ audit: store.audit });
    const users = createUsers({ users: store.users, seal });
    return run({ users, audit, subject, attributes, graceMs, json: flags.json, now, io });
  });
  return 0;
};

/** For commands that neither make nor show a token, so that they need no key. */
const NO_SEAL: Seal = {
  seal: () => {
    throw new Error("this command has no key to seal with");
  },
  open: () => undefined,
};

function unknownCommand(word: string): CommandError {
  const names = Object.keys(USER_COMMANDS);
  const meant = word === "" ? undefined : nearest(word, names);
  const advice = meant ? `Did you mean ${meant}?` : `Give one of: ${names.join(", ")}.`;
  return fault(`${word === "" ? "users needs a subcommand" : `Unknown command users ${word}`}. ${advice}`);
}

const fault = (message: string) => new CommandError(message, { exitCode: 2 });
