/**
 * Does with real processes what `systemctl --user` does with the units of this program: starts and stops services, and
 * waits for the files of path units. The home folder has the units, the process ids and the logs.
 */
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const HOME = process.env["HOME"] ?? "";
const RUN = join(HOME, "run");
const [, verb = "", ...rest] = process.argv.slice(2);
const unit = rest.findLast((word) => !word.startsWith("--")) ?? "";

const at = (name: string, end: string) => join(HOME, `${name}${end}`);
const textOf = (name: string) => readFileSync(join(HOME, ".config/systemd/user", name), "utf8");
const valuesOf = (name: string, key: string) =>
  textOf(name)
    .split("\n")
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1).replaceAll("%t", RUN));

function pidOf(name: string): number | undefined {
  if (!existsSync(at(name, ".pid"))) return undefined;
  const pid = Number(readFileSync(at(name, ".pid"), "utf8"));
  try {
    const state = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.[0];
    return state === "Z" ? undefined : pid;
  } catch {
    return undefined;
  }
}

function launch(name: string, command: string[], env: Record<string, string> = {}): void {
  const log = openSync(at(name, ".log"), "a");
  const child = Bun.spawn(command, {
    cwd: HOME,
    env: { PATH: process.env["PATH"] ?? "", HOME, ...env },
    stdio: ["ignore", log, log],
    detached: true,
  });
  child.unref();
  writeFileSync(at(name, ".pid"), String(child.pid));
}

function start(name: string): void {
  if (pidOf(name) !== undefined) return;
  for (const folder of valuesOf(name, "RuntimeDirectory")) mkdirSync(join(RUN, folder), { recursive: true });
  const env = valuesOf(name, "Environment").map((value) => value.replace(/^"(.*)"$/, "$1").split("="));
  const [command = ""] = valuesOf(name, "ExecStart");
  const variables = Object.fromEntries(env.map(([key = "", ...value]) => [key, value.join("=")]));
  const words = command.split(" ");
  // The command of the sources can act as if its user were not root.
  const isUpdate = words[1] === "update";
  const helper = [process.execPath, join(import.meta.dir, "update-process.ts"), words[0] ?? "", HOME];
  launch(name, isUpdate ? [...helper, ...words.slice(2)] : words, variables);
}

async function stop(name: string): Promise<void> {
  const pid = pidOf(name);
  if (pid === undefined) return;
  process.kill(pid, "SIGTERM");
  while (pidOf(name) !== undefined) await Bun.sleep(10);
}

/** Waits for the file of a path unit, again and again. */
async function watch(name: string): Promise<never> {
  const [service = ""] = valuesOf(name, "Unit");
  for (;;) {
    const isThere = valuesOf(name, "PathExists").some((path) => existsSync(path));
    if (isThere && pidOf(service) === undefined) start(service);
    await Bun.sleep(50);
  }
}

if (existsSync(join(HOME, `slow-${verb}`))) {
  writeFileSync(join(HOME, `began-${verb}`), "");
  while (existsSync(join(HOME, `slow-${verb}`))) await Bun.sleep(10);
}
if (verb === "restart" || verb === "stop") await stop(unit);
if (verb === "restart" || verb === "start") start(unit);
if (verb === "enable" && unit.endsWith(".path"))
  launch(unit, [process.execPath, import.meta.path, "--user", "watch", unit]);
if (verb === "disable" && pidOf(unit) !== undefined) rmSync(at(unit, ".pid"));
if (verb === "watch") await watch(unit);
process.exit(verb === "is-active" && pidOf(unit) === undefined ? 3 : 0);
