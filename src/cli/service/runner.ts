import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Environment } from "../../config/read.ts";
import { CommandError } from "../../errors.ts";
import { shellQuote } from "../../shell-quote.ts";
import { fileErrorText } from "../../system-error.ts";
import { type Plan, type PlannedFile, type Step, WRITTEN_BY } from "./service.ts";

interface RunOptions {
  env: Environment;
  /** Waits between two tries. */
  pause?: () => Promise<void>;
}

/** Makes the folders of a plan, which others may not read. Throws like `carryOut`. */
export async function prepare(plan: Plan, options: RunOptions): Promise<void> {
  for (const folder of plan.folders)
    tryFile(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  for (const step of plan.secure) await runStep(step, options);
}

/** Carries out the rest of a plan. Throws a `CommandError` at the first file or program that fails. */
export async function carryOut(plan: Plan, options: RunOptions): Promise<void> {
  for (const file of plan.files) tryFile(file.path, () => write(file));
  for (const step of plan.steps) await runStep(step, options);
  for (const path of plan.remove) tryFile(path, () => rmSync(path, { force: true }));
  for (const step of plan.last) await runStep(step, options);
}

/** Returns what `carryOut` would do, with secrets masked, for a person to read. */
export function describePlan({ folders, secure, files, steps, remove, last }: Plan): string {
  const commands = (list: readonly Step[]) => list.map(({ argv }) => `$ ${argv.map(shellQuote).join(" ")}\n`);
  return [
    ...folders.map((path) => `$ mkdir -p -m 700 ${shellQuote(path)}\n`),
    ...commands(secure),
    ...files.map(
      ({ path, mode, text, isSecret }) =>
        `\n--- ${path} (mode ${mode.toString(8)})\n${isSecret ? "***\n" : text.replaceAll("\r", "")}\n`,
    ),
    ...commands(steps),
    ...remove.map((path) => `$ rm -f ${shellQuote(path)}\n`),
    ...commands(last),
  ].join("");
}

/** Runs a program that shows its output itself. Returns its exit code. */
export async function passThrough(argv: readonly string[], env: Environment): Promise<number> {
  const child = spawn(argv, env, "inherit");
  return child.exited;
}

/** Throws a `CommandError` if the path has a file that no installation wrote, which must not be lost. */
export function refuseForeign(path: string): void {
  if (!existsSync(path)) return;
  const text = tryFile(path, () => readFileSync(path));
  if (!text.includes(WRITTEN_BY) && !text.includes(Buffer.from(WRITTEN_BY, "utf16le")))
    throw new CommandError(
      `${path} exists, and this program did not write it. Rename it, or give the service a name of its own with --service-name.`,
    );
}

/** Replaces the file as a whole: no other process sees a part of it, nor a secret before its mode is set. */
function write({ path, text, mode, encoding }: PlannedFile): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  rmSync(temporary, { force: true });
  try {
    const bytes = encoding ? Buffer.from(`\ufeff${text}`, encoding) : text;
    writeFileSync(temporary, bytes, { flag: "wx", mode, flush: true });
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function tryFile<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new CommandError(`Cannot write ${path}: ${fileErrorText(error)}`, { cause: error });
  }
}

/** Runs a program that shows nothing. Returns whether it succeeds. */
export async function passes(argv: readonly string[], env: Environment): Promise<boolean> {
  const child = spawn(argv, env, "pipe");
  await Promise.all([text(child.stdout), text(child.stderr)]);
  return (await child.exited) === 0;
}

/** Runs a step of a plan. Throws a `CommandError` with what the program said if it fails. */
export async function runStep({ argv, mayFail, tries = 1 }: Step, options: RunOptions): Promise<void> {
  const { env, pause = () => Bun.sleep(1000) } = options;
  for (let left = tries - 1; ; left--) {
    const child = spawn(argv, env, "pipe");
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), child.exited]);
    if (code === 0 || mayFail) return;
    if (left === 0) {
      const said = `${err}\n${out}`.trim();
      throw new CommandError(
        `${argv.map(shellQuote).join(" ")} failed with exit code ${code}.\n${said}`.trim(),
      );
    }
    await pause();
  }
}

function text(stream: ReadableStream<Uint8Array> | number | undefined): Promise<string> {
  return stream instanceof ReadableStream ? new Response(stream).text() : Promise.resolve("");
}

function spawn([program = "", ...args]: readonly string[], env: Environment, output: "inherit" | "pipe") {
  const path = Bun.which(program, { PATH: env["PATH"] ?? "" });
  if (path === null)
    throw new CommandError(`There is no ${program} on the PATH, which runs services on this system.`);
  return Bun.spawn([path, ...args], {
    env,
    stdio: [output === "inherit" ? "inherit" : "ignore", output, output],
  });
}
