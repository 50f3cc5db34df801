import { ownCommand } from "../../backup/download.ts";
import { time } from "../../config/kinds.ts";
import { CommandError, usageError } from "../../errors.ts";
import { updateFiles } from "../../update/files.ts";
import { ownExecutable } from "../../update/managed.ts";
import { sourceOf } from "../../update/source.ts";
import { compareVersions, readVersion } from "../../update/version.ts";
import { readArgs } from "../args.ts";
import { COMMANDS } from "../commands.ts";
import { thisMachine } from "../service/machine.ts";
import type { Machine } from "../service/service.ts";
import type { Terminal } from "../terminal.ts";
import { PROGRAM, VERSION } from "../version.ts";

/** How this program and its machine are found. Tests replace some of it. */
export interface Surroundings {
  machine?: Partial<Machine>;
  /** The command that runs this program. */
  command?: readonly string[];
  repository?: string;
}

/** A call of the command `update`. */
export type UpdateCall = ReturnType<typeof readCall>;

/**
 * The repository that this executable was built in, such as `owner/name`. The build writes it here: only the workflow of
 * a repository knows it. A made-up one could become somebody else's.
 */
const REPOSITORY = process.env["RELEASE_REPOSITORY"] || undefined;

/** Reads the arguments. Throws a `CommandError` for what is wrong, or if this program is not to update itself. */
export function readCall(args: readonly string[], io: Terminal, surroundings: Surroundings) {
  const read = readArgs({ args, env: io.env }, COMMANDS.update);
  const { settings, flags, positionals } = read;
  const [given, ...more] = positionals;
  if (more.length > 0) throw usageError("There is more than one argument. Give one version, or none.");
  const wanted = given === undefined ? undefined : readVersion(given);
  if (given !== undefined && wanted === undefined)
    throw usageError("The argument is not a version. Give one such as 0.2.0.");
  if (flags.rollback && (flags.check || given !== undefined))
    throw usageError("--rollback goes with neither --check nor a version. Leave one out.");
  const readyWithin = time("1s", "1h").schema.safeParse(flags["ready-within"] ?? "1m");
  if (!readyWithin.success)
    throw usageError(`--ready-within is not valid. ${readyWithin.error.issues[0]?.message}`);
  const { command = ownCommand(), machine, repository } = surroundings;
  const files = updateFiles(ownExecutable({ command }));
  return {
    ...{ io, flags, wanted, files, requireProvenance: settings.requireProvenance },
    readyWithinMs: readyWithin.data,
    machine: { ...thisMachine(io.env), ...machine },
    source: () => sourceOf(settings, repository ?? REPOSITORY),
  };
}

/** Returns why nothing is to be done, if so. Throws a `CommandError` for an older version that nobody wanted. */
export function compare(version: string | undefined, { wanted, flags }: UpdateCall): string | undefined {
  if (version === undefined) return undefined;
  const order = compareVersions(version, VERSION);
  if (order === 0)
    return `${PROGRAM} ${VERSION} is ${wanted === undefined ? "the newest version" : "installed"}.`;
  if (order > 0 || flags.downgrade) return undefined;
  if (wanted === undefined)
    return `The newest release is ${version}, which is older than ${VERSION}. Nothing was changed.`;
  throw new CommandError(`${version} is older than ${VERSION}. Add --downgrade to go back to it.`);
}
