import { accessSync, constants, existsSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { CommandError } from "../../errors.ts";
import { fetchUpdate } from "../../update/fetch-update.ts";
import { putBack, replaceExecutable } from "../../update/files.ts";
import { beginUpdate, type Journal } from "../../update/journal.ts";
import type { Release } from "../../update/release.ts";
import { counted } from "../terminal.ts";
import { PROGRAM, VERSION } from "../version.ts";
import { compare, type UpdateCall } from "./call.ts";
import { servicesOf } from "./installed.ts";
import { runningOf } from "./restart.ts";
import { restartAll, switchServices } from "./switch.ts";

/** Downloads a release, checks it, and puts it in the place of this program. Returns the exit code. */
export async function install(release: Release, call: UpdateCall): Promise<number> {
  const { files } = call;
  refuseReadOnly(files.executable);
  const journal = beginUpdate(files);
  try {
    return await installAlone(release, call, journal);
  } finally {
    rmSync(files.part, { force: true });
    journal.end();
  }
}

/** An update that was killed may have left services that run the old version, or do not run. Restarts them. */
export async function finishInterrupted(call: UpdateCall): Promise<void> {
  const { files, io, machine } = call;
  if (!existsSync(files.journal)) return;
  const journal = beginUpdate(files);
  try {
    if (!journal.interrupted) return;
    const { from, to, services } = journal.interrupted;
    io.err(`${PROGRAM}: An update from ${from} to ${to} was interrupted. Restarting its services.\n`);
    const running = servicesOf(files.executable, machine).filter(({ name }) => services.includes(name));
    if (await restartAll({ ...call, running })) return;
    putBack(files);
    await restartAll({ ...call, running });
    throw new CommandError(
      `${to} did not become ready, so ${from} is back. Look at the log of the service, and try again.`,
    );
  } finally {
    journal.end();
  }
}

async function installAlone(release: Release, call: UpdateCall, journal: Journal): Promise<number> {
  const { files, io, machine, requireProvenance, flags } = call;
  io.out(`Fetching ${PROGRAM} from ${release.label}\n`);
  const { repository } = call.source();
  const fetched = await fetchUpdate({ release, files, repository, requireProvenance, env: io.env });
  const { version, provenance } = fetched;
  const done = compare(version, call);
  if (done !== undefined) {
    io.out(`${done}\n`);
    return 0;
  }
  if (provenance.state === "verified") io.out(`Provenance verified by ${provenance.by}.\n`);
  else io.out(`Provenance not verified: ${provenance.why}.\n`);
  const services = servicesOf(files.executable, machine);
  const running = flags["no-restart"] ? [] : await runningOf(services, machine);
  const others = services.length === 0 ? processesOf(files.executable) : [];
  const change = () => {
    journal.noteReplaced({ from: VERSION, to: version, services: running.map(({ name }) => name) });
    replaceExecutable(files);
  };
  await switchServices({ ...call, version, services, running, change });
  io.out(`Updated from ${VERSION} to ${version}. To go back: ${PROGRAM} update --rollback\n`);
  if (running.length === 0) io.out(`${startAgain(others)}\n`);
  return 0;
}

function startAgain(processes: readonly number[]): string {
  if (processes.length === 0) return "If a server or an agent runs, stop it and start it again.";
  return `${counted(processes.length, "process")} of the old version still ${processes.length > 1 ? "run" : "runs"} (${processes.join(", ")}). Stop with: kill -TERM ${processes.join(" ")}, and start again.`;
}

function refuseReadOnly(executable: string): void {
  const folder = dirname(executable);
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new CommandError(
      `You may not write in ${folder}, where the program is. Call this as its owner, such as with sudo.`,
      { cause: error },
    );
  }
}

/** Returns the other processes that run the executable. Only Linux tells. */
function processesOf(executable: string): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && pathOf(pid) === executable);
}

function pathOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}
