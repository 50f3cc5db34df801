import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AgentsProcess, startAgentsProcess } from "./processes/agents-process.ts";
import { type Program, type ProgramOptions, startProgram } from "./processes/program.ts";

const ROOT = join(import.meta.dir, "../..");
const EXECUTABLE = join(ROOT, "dist/chatgpt-api-server");

/** A server under test, with the processes that it needs. */
export interface Target extends Program {
  adminKey: string;
  /** The data folder of our server; empty for any other. */
  data: string;
  /** The further processes whose CPU time is measured, by name. */
  helpers: Readonly<Record<string, number>>;
}

type StartOptions = Pick<ProgramOptions, "command" | "env" | "port" | "endsWithBench">;

export interface OursOptions {
  /** A new folder by default, so that the data of one scenario do not slow down a later one. */
  data?: string;
  args?: readonly string[];
  env?: Record<string, string>;
  /** Default: the built one. */
  executable?: string;
}

/** Holds everything that the bench starts and writes, so that nothing is left of it. */
export interface Workshop {
  folder: string;
  executable: string;
  agents: AgentsProcess;
  startOurs(options?: OursOptions): Promise<Target>;
  startBare(): Promise<Target>;
  /** Starts any other program. */
  start(options: StartOptions): Promise<Target>;
  /** Stops all targets, but not the process of the agents. */
  stopTargets(): Promise<void>;
  stop(): void;
}

/** Keeps the programs that run, and a process that ends them should the bench be killed. */
class Programs {
  readonly #running = new Map<number, Target>();
  #count = 0;

  constructor(
    private readonly folder: string,
    private readonly agents: AgentsProcess,
  ) {}

  async start(options: StartOptions, data = ""): Promise<Target> {
    const log = join(this.folder, `log-${++this.#count}`);
    let pid = 0;
    const ended = () => void this.#running.delete(pid);
    const program = await startProgram({ cwd: this.folder, log, ended, ...options });
    pid = program.pid;
    const target = { ...program, adminKey: ADMIN_KEY, data, helpers: {} };
    this.#running.set(pid, target);
    // Nothing waits for this, as a start is measured too.
    this.guard().catch(() => {});
    return target;
  }

  guard(): Promise<void> {
    return this.agents.carryOut({ do: "guard", folder: this.folder, pids: [...this.#running.keys()] });
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running.values()].map((target) => target.stop()));
  }

  killAll(): void {
    for (const pid of this.#running.keys()) process.kill(pid, "SIGKILL");
  }
}

/** Opens a folder and starts the process of the agents. */
export async function openWorkshop(): Promise<Workshop> {
  if (!existsSync(EXECUTABLE)) await build();
  const folder = mkdtempSync(join(tmpdir(), "chatgpt-api-server-bench-"));
  // A build in the meantime must not change the measured executable.
  const executable = join(folder, "chatgpt-api-server");
  cpSync(EXECUTABLE, executable);
  const agents = startAgentsProcess();
  const programs = new Programs(folder, agents);
  await programs.guard();
  let folders = 0;
  return {
    folder,
    executable,
    agents,
    startOurs({ data = join(folder, `data-${++folders}`), args = [], env, ...options } = {}) {
      mkdirSync(data, { recursive: true });
      const program = options.executable ?? executable;
      const command = [program, "0", ADMIN_KEY, "--agents", "local", ...args];
      return programs.start({ command, env: { CHATGPT_API_DATA: data, ...env } }, data);
    },
    startBare: () =>
      programs.start({
        command: [process.execPath, join(import.meta.dir, "processes/bare-relay.ts")],
        endsWithBench: true,
      }),
    start: (options) => programs.start(options),
    stopTargets: () => programs.stopAll(),
    stop() {
      programs.killAll();
      agents.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const ADMIN_KEY = `bench-${crypto.randomUUID()}`;

async function build(): Promise<void> {
  process.stderr.write("dist/chatgpt-api-server is missing. Building it.\n");
  const child = Bun.spawn([process.execPath, "run", "build"], {
    cwd: ROOT,
    stdout: "inherit",
    stderr: "inherit",
  });
  if ((await child.exited) !== 0) throw new Error("The build failed.");
}
