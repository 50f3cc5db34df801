import { createAudit } from "../auth/audit.ts";
import { loadSeal, type Seal } from "../auth/seal.ts";
import { createUsers } from "../auth/users.ts";
import { nearest, readSettings } from "../config/read.ts";
import { databaseIn, existingDatabaseIn, sealKeyIn } from "../data-folder.ts";
import { AppError, CommandError } from "../errors.ts";
import { openStore } from "../store/sqlite/open.ts";
import type { Io } from "./io.ts";
import { type Subcommand, USER_COMMANDS } from "./users/commands.ts";
import { readUserArguments } from "./users/flags.ts";
import type { UserWork } from "./users/work.ts";

/** The users in the local database. May run while the server does, which heeds it within a second. */
export async function users(args: readonly string[], io: Io): Promise<number> {
  const [word = "", ...rest] = args;
  const command = Object.hasOwn(USER_COMMANDS, word) ? USER_COMMANDS[word] : undefined;
  if (!command) throw unknownCommand(word);
  const now = Date.now();
  const { positionals, data, ...given } = readUserArguments(rest, [...command.flags, "json", "data"], now);
  const [subject = "", ...more] = positionals;
  const wanted = command.subject;
  if (more.length > 0 || (subject !== "") !== (wanted !== undefined))
    throw new CommandError(`give ${wanted ? `one ${wanted}` : "no argument"} after users ${word}`, {
      exitCode: 2,
    });
  if (command.wantsFlag && Object.keys(given.attributes).length === 0)
    throw new CommandError("nothing to set: give a flag, such as --max-parallel 4", { exitCode: 2 });
  const dataArgs = data === undefined ? [] : ["--data", data];
  const { settings } = readSettings({ args: dataArgs, env: io.env }, ["data", "sealKey"]);
  await perform(command, settings, { ...given, subject, now, io });
  return 0;
}

async function perform(
  { start, makesData, makesTokens }: Subcommand,
  { data, sealKey }: { data: string; sealKey: string | undefined },
  work: Omit<UserWork, "users" | "audit">,
): Promise<void> {
  const run = start(work.subject);
  const path = makesData ? databaseIn(data) : existingDatabaseIn(data);
  const store = openStore({ path });
  try {
    const seal = makesTokens ? loadSeal({ sealKey, path: sealKeyIn(data) }) : NO_SEAL;
    const audit = createAudit({ audit: store.audit });
    await run({ ...work, users: createUsers({ users: store.users, seal }), audit });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    throw new CommandError(`the database could not be used: ${reason}`, { cause: error });
  } finally {
    await store.close();
  }
}

/** For commands that neither make nor show a token, and so leave the key where it is. */
const NO_SEAL: Seal = {
  seal: () => {
    throw new Error("this command has no key to seal with");
  },
  open: () => undefined,
};

function unknownCommand(word: string): CommandError {
  const names = Object.keys(USER_COMMANDS);
  const meant = word === "" ? undefined : nearest(word, names);
  const hint = meant ? `did you mean ${meant}?` : `give one of ${names.join(", ")}`;
  return new CommandError(word === "" ? `users: ${hint}` : `unknown command users ${word}: ${hint}`, {
    exitCode: 2,
  });
}
