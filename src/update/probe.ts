import { CommandError } from "../errors.ts";
import { printable } from "../printable.ts";
import { PROGRAM_NAME } from "./executable-name.ts";
import { readVersion } from "./version.ts";

/** How long an executable may take to answer a question about itself. */
const PROBE_MS = 60_000;
const OUTPUT_LENGTH_MAX = 1_000;

/** The variables that a program needs to run at all. Others could change what it does. */
const PASSED = ["PATH", "SYSTEMROOT", "TEMP", "TMP", "HOME", "USERPROFILE"];

type Environment = Record<string, string | undefined>;

/** Returns the version that an executable says it has. Throws a `CommandError` if it does not run here. */
export async function versionOf(path: string, env: Environment): Promise<string> {
  const { code, output } = await run([path, "--version"], env);
  const [name, version = ""] = output.trim().split(" ");
  const found = code === 0 && name === PROGRAM_NAME ? readVersion(version) : undefined;
  if (found !== undefined) return found;
  const said =
    output.trim() === "" ? "" : ` It said: ${printable(output.trim().slice(0, OUTPUT_LENGTH_MAX))}`;
  throw new CommandError(`The downloaded executable does not run on this machine.${said}`);
}

/** Whether a version can use the data in a folder: at once, after migrating it, or not at all. */
export type DataVerdict = "current" | "older" | "newer" | "foreign" | "absent" | "unknown";

/** Asks an executable whether it can use the data in the folder. One that is too old to say it returns `unknown`. */
export async function askAboutData(path: string, data: string, env: Environment): Promise<DataVerdict> {
  const { output } = await run([path, "version", "--data", data], env);
  const [, verdict] = /^data: (current|older|newer|foreign|absent)$/m.exec(output) ?? [];
  return (verdict as DataVerdict | undefined) ?? "unknown";
}

async function run(command: string[], given: Environment): Promise<{ code: number | null; output: string }> {
  const env = Object.fromEntries(PASSED.map((name) => [name, given[name]]));
  try {
    const child = Bun.spawn(command, {
      env,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: PROBE_MS,
      killSignal: "SIGKILL",
    });
    const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { code: child.exitCode, output: out || err };
  } catch (error) {
    return { code: null, output: error instanceof Error ? error.message : "" };
  }
}
