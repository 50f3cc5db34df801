import { afterAll, beforeAll, describe, test } from "bun:test";
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQL } from "bun";

/** Debian's folder, with a folder for each version. */
const INSTALLED = "/usr/lib/postgresql";
/** PostgreSQL refuses to run as root. */
const OWNER = "postgres";
const isRoot = process.getuid?.() === 0;

/** A PostgreSQL server that only the tests of one file use, so that they may do anything to it. */
export interface OwnPostgres {
  /** Makes an empty database, and returns its address. */
  newDatabase(): Promise<string>;
  start(): Promise<void>;
  /** Ends it: `immediate` as a crash does, `fast` as an operator does. */
  stop(how: "immediate" | "fast"): Promise<void>;
  /** Suspends its processes: connections stay open, and nothing is answered. */
  suspend(): void;
  resume(): void;
}

/** Defines tests with a server of their own. They are skipped with one line where PostgreSQL is not installed. */
export function describeWithOwnPostgres(title: string, tests: (postgres: OwnPostgres) => void): void {
  const programs = findPostgres();
  if (programs === undefined) return void test.skip(`${title} (skipped: install postgresql)`, () => {});
  describe(title, () => {
    const { set, remove, ...postgres } = createOwnPostgres(programs);
    beforeAll(set);
    afterAll(remove);
    tests(postgres);
  });
}

/** Returns the folder of the newest version's programs; undefined if PostgreSQL is not installed. */
export function findPostgres(): string | undefined {
  if (isRoot && Bun.which("runuser") === null) return undefined;
  try {
    const newest = readdirSync(INSTALLED).sort((one, other) => Number(other) - Number(one))[0];
    return newest && join(INSTALLED, newest, "bin");
  } catch {
    return undefined;
  }
}

/** Returns a server that is made by `set` and gone after `remove`. `programs` is what `findPostgres` returns. */
export function createOwnPostgres(programs: string) {
  const data = mkdtempSync(join(tmpdir(), "chatgpt-api-postgres-"));
  let url = "";
  let options = "";
  let suspended: number[] = [];
  let count = 0;

  const run = (program: string, ...args: string[]) =>
    runAsOwner([join(programs, program), "-D", data, ...args]);
  const processId = () => Number.parseInt(readFileSync(join(data, "postmaster.pid"), "utf8"), 10);
  const start = () => run("pg_ctl", "start", "-w", "-l", join(data, "log"), "-o", options);
  const stop = (how: string) => run("pg_ctl", "stop", "-w", "-m", how);

  function resume(): void {
    for (const pid of suspended) process.kill(pid, "SIGCONT");
    suspended = [];
  }

  return {
    async set() {
      if (isRoot) chownSync(data, idOf("-u"), idOf("-g"));
      const port = await freePort();
      url = `postgres://${OWNER}@127.0.0.1:${port}/postgres`;
      // Everything that a process has written survives its end, as only the machine could lose it.
      options = `-c listen_addresses=127.0.0.1 -c port=${port} -c unix_socket_directories=${data} -c fsync=off`;
      await run("initdb", "-U", OWNER, "-A", "trust", "--no-sync");
      await start();
    },
    async remove() {
      resume();
      await stop("immediate").catch(() => {});
      rmSync(data, { recursive: true, force: true });
    },
    async newDatabase() {
      await using sql = new SQL(url, { max: 1 });
      const name = `test_${++count}`;
      await sql.unsafe(`CREATE DATABASE ${name}`);
      return Object.assign(new URL(url), { pathname: `/${name}` }).href;
    },
    start,
    stop,
    suspend() {
      const server = processId();
      // First the one that starts others, so that none is missed.
      process.kill(server, "SIGSTOP");
      const children = readFileSync(`/proc/${server}/task/${server}/children`, "utf8");
      suspended = [server];
      for (const child of children.trim().split(" ").filter(Boolean).map(Number)) {
        process.kill(child, "SIGSTOP");
        suspended.push(child);
      }
    },
    resume,
  };
}

async function runAsOwner(command: readonly string[]): Promise<void> {
  const asOwner = isRoot ? ["runuser", "-u", OWNER, "--", ...command] : [...command];
  const child = Bun.spawn(asOwner, { cwd: "/", stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const [code, stderr] = await Promise.all([child.exited, child.stderr.text()]);
  if (code !== 0) throw new Error(`${command[0]} ended with ${code}: ${stderr}`);
}

function idOf(flag: "-u" | "-g"): number {
  return Number(Bun.spawnSync(["id", flag, OWNER]).stdout.toString());
}

/** Returns a port of this machine that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
