import { onTestFinished } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serviceCommand } from "../../../src/cli/service/command.ts";
import type { ServiceKind } from "../../../src/cli/service/service.ts";
import { executableName, targetOf } from "../../../src/update/executable-name.ts";
import { recordedTerminal } from "../../cli/terminal.ts";
import { EXECUTABLE } from "../executable.ts";
import { freePort } from "../own-postgres.ts";
import { tempFolder } from "../store.ts";
import { until } from "../until.ts";

export const sha256 = (path: string) =>
  new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");

/** The name of the executable that this machine needs. */
export const assetName = () => executableName(targetOf(EXECUTABLE));

/**
 * Returns an executable of another version: a script that says its version, and runs the built executable for anything
 * else, unless `body` comes before that.
 */
export function scriptOf(version: string, body = ""): string {
  return [
    "#!/bin/sh",
    `[ "$1" = --version ] && echo "chatgpt-api-server ${version}" && exit 0`,
    body,
    `exec '${EXECUTABLE}' "$@"`,
    "",
  ].join("\n");
}

/** Makes a folder with the files of a release, as the workflow publishes them. */
export function makeRelease(script: string, folder = tempFolder(), sums?: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, assetName());
  writeFileSync(path, script);
  writeFileSync(join(folder, "SHA256SUMS"), sums ?? `${sha256(path)}  ${assetName()}\n`);
  return folder;
}

/** Installs an executable in a folder of its own. Its services are started by a program in place of systemd. */
export function useInstalled() {
  const home = mkdtempSync(join(tmpdir(), "chatgpt-api-server-test-"));
  const executable = join(home, "bin/chatgpt-api-server");
  mkdirSync(join(home, "bin"));
  mkdirSync(join(home, "path"));
  try {
    linkSync(EXECUTABLE, executable);
  } catch {
    copyFileSync(EXECUTABLE, executable);
  }
  const systemctl = join(home, "path/systemctl");
  const program = join(import.meta.dir, "fake-systemctl.ts");
  writeFileSync(systemctl, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  chmodSync(systemctl, 0o755);
  const env = { HOME: home, PATH: `${join(home, "path")}:${process.env["PATH"]}` };
  onTestFinished(() => {
    endProcesses(home);
    rmSync(home, { recursive: true, force: true });
  });
  return {
    ...{ home, executable, env },
    files: () => readdirSync(join(home, "bin")).sort(),
    async install(kind: ServiceKind, args: readonly string[]) {
      const io = recordedTerminal(env);
      const machine = { platform: "linux", isAdmin: false, uid: 1000, user: "ann", home };
      const surroundings = { machine, command: [executable], temporary: [], healthTries: 200 };
      const code = await serviceCommand(kind, surroundings)(["install", ...args], io);
      return { code, output: io.stdout() + io.stderr() };
    },
    update: (...args: string[]) => runUpdate(executable, home, args, env),
    pid: (unit: string) => Number(readFileSync(join(home, `${unit}.service.pid`), "utf8")),
    log: (unit: string) => readFileSync(join(home, `${unit}.log`), "utf8"),
    /** Lets each call of systemctl with the verb wait until the returned function is called. */
    hold(verb: string) {
      writeFileSync(join(home, `slow-${verb}`), "");
      return {
        began: () => until(() => existsSync(join(home, `began-${verb}`))),
        release: () => rmSync(join(home, `slow-${verb}`), { force: true }),
      };
    },
  };
}

export type Installed = ReturnType<typeof useInstalled>;

/** Installs a server as a service. Returns its URL and its admin key. */
export async function installServer(installed: Installed) {
  const port = await freePort();
  const adminKey = `admin-${crypto.randomUUID()}`;
  const { code, output } = await installed.install("serve", [String(port), adminKey, "--host", "127.0.0.1"]);
  if (code !== 0) throw new Error(output);
  return { url: `http://127.0.0.1:${port}`, port, adminKey };
}

function runUpdate(executable: string, home: string, args: readonly string[], env: Record<string, string>) {
  const program = join(import.meta.dir, "update-process.ts");
  const child = Bun.spawn([process.execPath, program, executable, home, ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = Promise.all([child.stdout.text(), child.stderr.text(), child.exited]).then(
    ([stdout, stderr, code]) => ({ code, stdout, stderr }),
  );
  return { kill: () => child.kill("SIGKILL"), ended };
}

/** Kills what the services of the home folder run, the jobs that could start more of it first. */
function endProcesses(home: string): void {
  const files = readdirSync(home).filter((name) => name.endsWith(".pid"));
  for (const name of files.sort((a, b) => Number(b.includes(".path")) - Number(a.includes(".path"))))
    try {
      process.kill(Number(readFileSync(join(home, name), "utf8")), "SIGKILL");
    } catch {
      // It has ended.
    }
}
