import { existsSync, rmSync } from "node:fs";
import { CommandError } from "../../errors.ts";
import { fileErrorText } from "../../system-error.ts";
import { exchange } from "../../update/files.ts";
import { beginUpdate } from "../../update/journal.ts";
import { versionOf } from "../../update/probe.ts";
import { findRelease, type Release } from "../../update/release.ts";
import { compareVersions } from "../../update/version.ts";
import type { Command } from "../terminal.ts";
import { PROGRAM, VERSION } from "../version.ts";
import { compare, readCall, type Surroundings, type UpdateCall } from "./call.ts";
import { finishInterrupted, install } from "./install.ts";
import { servicesOf } from "./installed.ts";
import { runningOf } from "./restart.ts";
import { switchServices } from "./switch.ts";

/** The exit code of `update --check` if there is a newer version. */
const NEWER = 10;

/** Updates this program to the newest release, or to another one. */
export const update: Command = (args, io) => updateCommand()(args, io);

export function updateCommand(surroundings: Surroundings = {}): Command {
  return async (args, io) => {
    const call = readCall(args, io, surroundings);
    const { flags } = call;
    if (flags.requested !== undefined && !takeRequest(flags.requested)) return 0;
    if (!flags.check) await finishInterrupted(call);
    if (flags.rollback) return await rollBack(call);
    const release = await findRelease({ from: call.source().from, version: call.wanted });
    const verdict = compare(release.version, call);
    if (flags.check) return await check(release, call);
    if (verdict !== undefined) {
      io.out(`${verdict}\n`);
      return 0;
    }
    return await install(release, call);
  };
}

/** Removes the file by which a service asked for an update. Returns false if there is none. */
function takeRequest(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    rmSync(path);
  } catch (error) {
    throw new CommandError(`Cannot remove ${path}: ${fileErrorText(error)}`, { cause: error });
  }
  return true;
}

/** Only says whether there is a newer version. A folder has to be asked by its executable. */
async function check(release: Release, call: UpdateCall): Promise<number> {
  const version = release.version ?? (await peek(release, call));
  if (compareVersions(version, VERSION) <= 0) {
    call.io.out(`${PROGRAM} ${VERSION} is the newest version.\n`);
    return 0;
  }
  call.io.out(`${PROGRAM} ${version} can be installed; this is ${VERSION}.\n`);
  return NEWER;
}

async function peek(release: Release, { files, source, io, requireProvenance }: UpdateCall): Promise<string> {
  const { fetchUpdate } = await import("../../update/fetch-update.ts");
  const journal = beginUpdate(files);
  try {
    const { repository } = source();
    const options = { release, files, repository, requireProvenance, env: io.env };
    return (await fetchUpdate(options)).version;
  } finally {
    rmSync(files.part, { force: true });
    journal.end();
  }
}

/** Goes back to the executable that the last update replaced. */
async function rollBack(call: UpdateCall): Promise<number> {
  const { files, machine, io } = call;
  const journal = beginUpdate(files);
  try {
    const version = existsSync(files.previous) ? await versionOf(files.previous, io.env) : undefined;
    const services = servicesOf(files.executable, machine);
    const running = call.flags["no-restart"] ? [] : await runningOf(services, machine);
    const change = () => exchange(files);
    await switchServices({ ...call, version: version ?? "", services, running, change, isBack: true });
    io.out(`Went back to ${PROGRAM} ${version}.\n`);
    return 0;
  } finally {
    journal.end();
  }
}
