import { closeSync, openSync, truncateSync } from "node:fs";

/** A start takes about 0.1 s, or more with 10⁵ users on a busy machine. Portkey's gateway takes a second. */
const START_WITHIN_MS = 30_000;
const RETRY_MS = 20;

/** The length of the output that is kept, for the report if a process does not start. */
const OUTPUT_KEPT = 4_000;

/** A process that was started, and answers on its port. */
export interface Program {
  port: number;
  pid: number;
  /** The time at which the process was started, by `performance.now`. */
  beganAt: number;
  /** Empties the log, which would fill the disk in a long run. */
  emptyLog(): void;
  /** Default: SIGKILL. Resolves once the process has ended. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface ProgramOptions {
  command: readonly string[];
  cwd: string;
  env?: Record<string, string>;
  /** The file for the standard output. */
  log: string;
  /**
   * The port that it was told to listen on; 0 for a program without one. Left out, the program prints the port
   * to its standard error.
   */
  port?: number;
  /** Gives the program a channel to the bench, with which it ends when the bench does. */
  endsWithBench?: boolean;
  ended: () => void;
}

/** Starts a process. Resolves once it listens; rejects with its output if it does not. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const { command, cwd, env = {}, log, port, endsWithBench = false, ended } = options;
  const output = openSync(log, "a");
  const beganAt = performance.now();
  const child = Bun.spawn([...command], {
    cwd,
    env: { PATH: process.env["PATH"], ...env },
    stdin: "ignore",
    stdout: output,
    stderr: "pipe",
    ...(endsWithBench ? { ipc: () => {} } : {}),
  });
  closeSync(output);
  void child.exited.then(ended);
  try {
    const printed = printedPort(child.stderr);
    const listening = port === undefined ? printed : Promise.race([printed, whenListening(port)]);
    return {
      port: await inTime(listening),
      pid: child.pid,
      beganAt,
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

async function inTime<Value>(promise: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("A program did not start in time.")), START_WITHIN_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves with the port once something listens there; at once for port 0. */
async function whenListening(port: number): Promise<number> {
  for (const began = performance.now(); port > 0 && performance.now() - began < START_WITHIN_MS; ) {
    try {
      const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => {} } });
      socket.end();
      return port;
    } catch {
      await Bun.sleep(RETRY_MS);
    }
  }
  return port;
}

/** Resolves with the port. Reads as long as the process runs, so that the pipe does not fill up. */
function printedPort(stream: ReadableStream<Uint8Array>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const read = async () => {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of stream) {
      text = (text + decoder.decode(chunk, { stream: true })).slice(-OUTPUT_KEPT);
      const port = text.match(/http:\/\/127\.0\.0\.1:(\d+)/)?.[1];
      if (port !== undefined) resolve(Number(port));
    }
    reject(new Error(`A program has ended:\n${text}`));
  };
  void read();
  return promise;
}

/** Returns a port that is free now. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
