import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AgentsProcess, startAgentsProcess } from "./agents-process.ts";

const ROOT = join(import.meta.dir, "../..");
const EXECUTABLE = join(ROOT, "dist/chatgpt-api-server");

/** A start takes about 0.1 s, or more with 10⁵ users on a busy machine. */
const START_WITHIN_MS = 20_000;

/** The length of the output that is kept, for the report if a process does not start. */
const OUTPUT_KEPT = 4_000;

export interface Target {
  kind: "ours" | "bare";
  port: number;
  pid: number;
  /** The time at which its process was started, by `performance.now`. */
  beganAt: number;
  adminKey: string;
  /** The data folder of our server; empty for the bare relay. */
  data: string;
  /** Empties the log, which would fill the disk in a long run. */
  emptyLog(): void;
  /** Default: SIGKILL. Resolves once the process has ended. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Holds everything that the bench starts and writes, so that nothing is left of it. */
export interface Workshop {
  folder: string;
  executable: string;
  agents: AgentsProcess;
  /** `data` is a new folder by default, so that the data of one scenario do not slow down a later one. */
  startOurs(options?: { data?: string; args?: readonly string[] }): Promise<Target>;
  startBare(): Promise<Target>;
  /** Stops all targets, but not the process of the agents. */
  stopTargets(): Promise<void>;
  stop(): void;
}

export async function openWorkshop(): Promise<Workshop> {
  if (!existsSync(EXECUTABLE)) await build();
  const folder = mkdtempSync(join(tmpdir(), "chatgpt-api-server-bench-"));
  // A build in the meantime must not change the measured executable.
  const executable = join(folder, "chatgpt-api-server");
  cpSync(EXECUTABLE, executable);
  const agents = startAgentsProcess();
  const targets = new Set<Target>();
  let count = 0;

  const guard = () =>
    agents.carryOut({ do: "guard", folder, pids: [...targets].map((target) => target.pid) });
  await guard();

  const start = async (kind: Target["kind"], command: string[], data: string) => {
    const log = join(folder, `log-${++count}`);
    const target = await launch(kind, command, {
      data,
      log,
      cwd: folder,
      ended: () => targets.delete(target),
    });
    targets.add(target);
    // Nothing waits for this, as a start is measured too.
    guard().catch(() => {});
    return target;
  };

  return {
    folder,
    executable,
    agents,
    startOurs({ data = join(folder, `data-${count}`), args = [] } = {}) {
      mkdirSync(data, { recursive: true });
      return start("ours", [executable, "0", ADMIN_KEY, "--agents", "local", ...args], data);
    },
    startBare: () => start("bare", [process.execPath, join(import.meta.dir, "bare-relay.ts")], ""),
    async stopTargets() {
      await Promise.all([...targets].map((target) => target.stop()));
    },
    stop() {
      for (const { pid } of targets) process.kill(pid, "SIGKILL");
      agents.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const ADMIN_KEY = `bench-${crypto.randomUUID()}`;

interface LaunchOptions {
  data: string;
  log: string;
  cwd: string;
  ended: () => void;
}

async function launch(
  kind: Target["kind"],
  command: string[],
  { data, log, cwd, ended }: LaunchOptions,
): Promise<Target> {
  const output = openSync(log, "a");
  const began = performance.now();
  const child = Bun.spawn(command, {
    cwd,
    env: { PATH: process.env["PATH"], CHATGPT_API_DATA: data },
    stdin: "ignore",
    stdout: output,
    stderr: "pipe",
    // Ends the bare relay with the bench. The process of the agents ends our server.
    ...(kind === "bare" ? { ipc: () => {} } : {}),
  });
  closeSync(output);
  void child.exited.then(ended);
  try {
    const port = await portIn(child.stderr);
    return {
      kind,
      port,
      pid: child.pid,
      beganAt: began,
      adminKey: ADMIN_KEY,
      data,
      emptyLog: () => truncateSync(log),
      async stop(signal = "SIGKILL") {
        child.kill(signal);
        await child.exited;
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** Resolves with the port. Reads as long as the process runs, so that the pipe does not fill up. */
function portIn(stream: ReadableStream<Uint8Array>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const timer = setTimeout(() => reject(new Error("The target did not start in time.")), START_WITHIN_MS);
  const read = async () => {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of stream) {
      text = (text + decoder.decode(chunk, { stream: true })).slice(-OUTPUT_KEPT);
      const port = text.match(/http:\/\/127\.0\.0\.1:(\d+)/)?.[1];
      if (port !== undefined) resolve(Number(port));
    }
    reject(new Error(`The target has ended:\n${text}`));
  };
  void read();
  return promise.finally(() => clearTimeout(timer));
}

async function build(): Promise<void> {
  process.stderr.write("dist/chatgpt-api-server is missing. Building it.\n");
  const child = Bun.spawn([process.execPath, "run", "build"], {
    cwd: ROOT,
    stdout: "inherit",
    stderr: "inherit",
  });
  if ((await child.exited) !== 0) throw new Error("The build failed.");
}
