import { afterAll, beforeAll, onTestFinished } from "bun:test";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generatedKeyIn, keepAgentKey } from "./agent-key.ts";
import { expectDescribed } from "./description/described.ts";
import { HANG_MS } from "./until.ts";

/** The executable that `bun run build` makes for this machine. */
export const EXECUTABLE = join(
  import.meta.dir,
  "../../dist",
  process.platform === "win32" ? "chatgpt-api-server.exe" : "chatgpt-api-server",
);

/**
 * Names a variable with the path of a backup. Each server without a data folder of its own then starts from
 * the restored backup, so that the same tests check restored servers.
 */
export const RESTORED_FROM = "E2E_RESTORED_FROM";
export const isRestored = Boolean(process.env[RESTORED_FROM]);

interface RunOptions {
  /** Added to an environment that has only PATH; undefined removes a name. */
  env?: Record<string, string | undefined>;
  /** Default: a new empty folder. */
  cwd?: string;
  /** Default: `EXECUTABLE`. */
  path?: string;
}

interface StartOptions extends RunOptions {
  /** Default: port 0 and a random admin key. */
  args?: readonly string[];
  /** The data folder, passed in the environment. Default: one in a new folder. */
  data?: string;
  /** Runs it on a terminal, whose whole output is then in `stderr`. */
  onTerminal?: boolean;
}

export interface Executable {
  /** `http://127.0.0.1:<port>`, or with `https`, without a slash at the end. */
  url: string;
  port: number;
  pid: number;
  data: string;
  /** The admin key of the default arguments; not used when `args` were given. */
  adminKey: string;
  /** The main agent key: the one in the arguments, or else in the data folder. */
  agentKey: string;
  /** Returns all output so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves with the match once stdout or stderr has it; rejects when the output ends without it. */
  output(pattern: RegExp): Promise<RegExpMatchArray>;
  /** From now on the value must not be in the output. The admin key must not from the start. */
  keepSecret(value: string): void;
  /** Default: SIGTERM. */
  kill(signal?: NodeJS.Signals): void;
  /** Resolves with the exit code or the signal; the other one is null. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | number | null }>;
  /**
   * Kills the process if it still runs, and removes its folders. Throws if a secret is in its output.
   * Idempotent.
   */
  stop(): Promise<void>;
}

async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "chatgpt-api-server-test-"));
}

function commandOf(path: string | undefined, args: readonly string[]): string[] {
  const executable = path ?? EXECUTABLE;
  if (!existsSync(executable)) throw new Error(`${executable} is missing: run \`bun run build\` first`);
  return [executable, ...args];
}

type Spawned = Pick<Bun.Subprocess, "pid" | "exited" | "exitCode" | "signalCode" | "kill">;

/** Starts a process. Returns it with its standard output and standard error. */
function spawn(
  command: string[],
  { onTerminal, ...options }: { cwd: string; env: Record<string, string | undefined>; onTerminal: boolean },
): { child: Spawned; streams: ReadableStream<Uint8Array>[] } {
  if (!onTerminal) {
    const child = Bun.spawn(command, { ...options, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    return { child, streams: [child.stdout, child.stderr] };
  }
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const terminal = {
    cols: 1000,
    data: (_: unknown, bytes: Uint8Array) => void writer.write(bytes.slice()),
    exit: () => void writer.close(),
  };
  const child = Bun.spawn(command, { ...options, terminal });
  return { child, streams: [new Blob().stream(), readable] };
}

/** Collects the output of a process, and waits for a pattern in it. */
function collect(streams: readonly ReadableStream<Uint8Array>[]) {
  const texts = streams.map(() => "");
  const listeners = new Set<() => void>();
  const notify = () => {
    for (const listener of listeners) listener();
  };
  const read = async (stream: ReadableStream<Uint8Array>, index: number) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      texts[index] += decoder.decode(chunk, { stream: true });
      notify();
    }
  };
  let ended = false;
  const end = Promise.all(streams.map(read)).then(() => {
    ended = true;
    notify();
  });
  const output = (pattern: RegExp) =>
    new Promise<RegExpMatchArray>((resolve, reject) => {
      const settle = (run: () => void) => {
        clearTimeout(timer);
        listeners.delete(look);
        run();
      };
      const fail = (why: string) =>
        settle(() => reject(new Error(`no ${pattern} in the output ${why}:\n${texts.join("\n")}`)));
      const look = () => {
        const match = texts.map((text) => text.match(pattern)).find((found) => found !== null);
        if (match) settle(() => resolve(match));
        else if (ended) fail("of the ended process");
      };
      const timer = setTimeout(() => fail(`within ${HANG_MS} ms`), HANG_MS);
      listeners.add(look);
      look();
    });
  return { text: (index: number) => texts[index] ?? "", output, end };
}

/** Runs a command that ends by itself. The exit code of one that hangs is null. */
export async function runExecutable(
  args: readonly string[],
  options: RunOptions & { stdin?: string } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const command = commandOf(options.path, args);
  const folder = await temporaryFolder();
  try {
    const child = Bun.spawn(command, {
      cwd: options.cwd ?? folder,
      env: { PATH: process.env["PATH"], ...options.env },
      stdin: new Blob([options.stdin ?? ""]),
      stdout: "pipe",
      stderr: "pipe",
      timeout: HANG_MS,
      killSignal: "SIGKILL",
    });
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { code: child.exitCode, stdout, stderr };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function restoreInto(data: string, backup: string): Promise<void> {
  const { code, stderr } = await runExecutable(["restore", backup, "--data", data]);
  if (code !== 0) throw new Error(`nothing was restored: ${stderr}`);
}

async function launch(options: StartOptions): Promise<Executable> {
  const secrets = [`admin-${randomUUID()}`];
  const adminKey = secrets[0] ?? "";
  const command = commandOf(options.path, options.args ?? ["0", adminKey]);
  const folder = await temporaryFolder();
  const data = options.data ?? join(folder, "data");
  const backup = process.env[RESTORED_FROM];
  if (backup && options.data === undefined) await restoreInto(data, backup);
  const { child, streams } = spawn(command, {
    cwd: options.cwd ?? folder,
    env: { PATH: process.env["PATH"], CHATGPT_API_DATA: data, ...options.env },
    onTerminal: options.onTerminal ?? false,
  });
  const { text, output, end } = collect(streams);
  const exited = Promise.all([child.exited, end]).then(() => ({
    code: child.exitCode,
    signal: child.signalCode,
  }));
  const stop = async () => {
    child.kill("SIGKILL");
    await exited;
    await rm(folder, { recursive: true, force: true });
    const all = text(0) + text(1);
    if (secrets.some((secret) => all.includes(secret))) throw new Error("a secret is in the output");
  };
  let port: number;
  let scheme: string | undefined;
  try {
    const [, shown, digits] = await output(/(https?):\/\/127\.0\.0\.1:(\d+)/);
    scheme = shown;
    port = Number(digits);
  } catch (error) {
    await stop();
    throw error;
  }
  const url = `${scheme}://127.0.0.1:${port}`;
  const endDescribed = expectDescribed(url);
  const args = options.args ?? [];
  const keyAt = args.indexOf("--agent-key");
  const agentKey = () => (keyAt < 0 ? generatedKeyIn(data) : args[keyAt + 1]) ?? "";
  const forgetKey = keepAgentKey(url, () => agentKey() || undefined);
  return {
    url,
    port,
    pid: child.pid,
    data,
    adminKey,
    get agentKey() {
      return agentKey();
    },
    stdout: () => text(0),
    stderr: () => text(1),
    output,
    keepSecret: (value) => secrets.push(value),
    kill: (signal = "SIGTERM") => child.kill(signal),
    exited,
    stop: () => {
      forgetKey();
      return stop().finally(endDescribed);
    },
  };
}

/**
 * Starts the executable for the calling test, and waits until it listens. It is stopped when the test ends,
 * and the test fails if a secret is in its output.
 */
export async function startExecutable(options: StartOptions = {}): Promise<Executable> {
  const executable = await launch(options);
  onTestFinished(() => executable.stop());
  return executable;
}

/**
 * Starts the executable for all tests of the calling file or `describe` block. Not to be called within a
 * test.
 */
export function shareExecutable(options: StartOptions = {}): () => Executable {
  let executable: Executable | undefined;
  beforeAll(async () => {
    executable = await launch(options);
  });
  afterAll(() => executable?.stop());
  return () => {
    if (executable === undefined) throw new Error("the executable runs only during the tests");
    return executable;
  };
}
