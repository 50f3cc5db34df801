import { afterAll, beforeAll, onTestFinished } from "bun:test";
import { join } from "node:path";
import { HANG_MS } from "../until.ts";

export interface UpstreamProcess {
  port: number;
  pid: number;
  /** Default: SIGTERM, which ends the process at once. */
  kill(signal?: NodeJS.Signals): void;
  /** Resolves when the process has ended. */
  exited: Promise<void>;
  /** Kills the process if it still runs. Idempotent. */
  stop(): Promise<void>;
}

/** Resolves with the first line of the stream, or with all of it if it ends earlier. */
async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}

/**
 * Runs a script of this folder that calls `announce`, and waits until it listens. Port 0 means any free port.
 */
export async function launchUpstream(script: string, wantedPort = 0): Promise<UpstreamProcess> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, script), "--with-parent"], {
    env: { PATH: process.env["PATH"], PORT: String(wantedPort) },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const exited = child.exited.then(() => {});
  const stop = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  const timer = setTimeout(() => child.kill("SIGKILL"), HANG_MS);
  const line = await firstLine(child.stdout);
  clearTimeout(timer);
  const port = line.startsWith("{") ? Number(JSON.parse(line).port) : Number.NaN;
  if (!Number.isInteger(port)) {
    await stop();
    throw new Error(`${script} ended, or did not listen within ${HANG_MS} ms`);
  }
  return { port, pid: child.pid, kill: (signal = "SIGTERM") => child.kill(signal), exited, stop };
}

interface Stoppable {
  stop(): Promise<void>;
}

/** Launches something for the calling test, and stops it when the test ends. */
export async function untilTestEnds<Started extends Stoppable>(
  launch: () => Promise<Started>,
): Promise<Started> {
  const started = await launch();
  onTestFinished(() => started.stop());
  return started;
}

/**
 * Launches something for all tests of the calling file or `describe` block. Not to be called within a test.
 */
export function sharedByTests<Started extends Stoppable>(launch: () => Promise<Started>): () => Started {
  let started: Started | undefined;
  beforeAll(async () => {
    started = await launch();
  });
  afterAll(() => started?.stop());
  return () => {
    if (started === undefined) throw new Error("the upstream runs only during the tests");
    return started;
  };
}
