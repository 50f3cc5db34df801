import { onTestFinished } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXECUTABLE } from "./executable.ts";
import { HANG_MS } from "./until.ts";

/** `chatgpt-api-server agent`, as a process of its own. */
export interface AgentProcess {
  pid: number;
  /** All output until now: the log, and what is for people. */
  stdout(): string;
  stderr(): string;
  /** Resolves with the match once the output, of either kind, has it; rejects when it ends without it. */
  output(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Default: SIGTERM. */
  kill(signal?: NodeJS.Signals): void;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | number | null }>;
  /** Kills it if it runs still. Idempotent. */
  stop(): Promise<void>;
}

interface AgentProcessOptions {
  /** Added to a bare environment that has nothing of the test run's but PATH. */
  env?: Record<string, string>;
  /** Waits until it has registered. Default: true. */
  connects?: boolean;
}

/** Starts one with these arguments, the server's address first. It is killed when the test that calls it ends. */
export async function startAgentProcess(
  args: readonly string[],
  { env, connects = true }: AgentProcessOptions = {},
): Promise<AgentProcess> {
  const folder = mkdtempSync(join(tmpdir(), "chatgpt-api-agent-test-"));
  const child = Bun.spawn([EXECUTABLE, "agent", ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const texts = { out: "", err: "" };
  const read = async (stream: ReadableStream<Uint8Array>, which: keyof typeof texts) => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) texts[which] += decoder.decode(bytes, { stream: true });
  };
  let ended = false;
  const exited = Promise.all([child.exited, read(child.stdout, "out"), read(child.stderr, "err")]).then(
    () => {
      ended = true;
      return { code: child.exitCode, signal: child.signalCode };
    },
  );
  const agent: AgentProcess = {
    pid: child.pid,
    stdout: () => texts.out,
    stderr: () => texts.err,
    async output(pattern) {
      const limit = performance.now() + HANG_MS;
      for (;;) {
        const isLast = ended || performance.now() > limit;
        const match = texts.out.match(pattern) ?? texts.err.match(pattern);
        if (match) return match;
        if (isLast)
          throw new Error(`no ${pattern} ${ended ? "before it ended" : ""}:\n${texts.out}\n${texts.err}`);
        await Bun.sleep(10);
      }
    },
    kill: (signal = "SIGTERM") => child.kill(signal),
    exited,
    async stop() {
      child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  onTestFinished(agent.stop);
  if (connects) await agent.output(/connected to/);
  return agent;
}
