import { onTestFinished } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentKeyEnv } from "./agent-key.ts";
import { EXECUTABLE } from "./executable.ts";
import { HANG_MS } from "./until.ts";

/** The command `chatgpt-api-server agent` in a process of its own. */
export interface AgentProcess {
  pid: number;
  /** The log so far. */
  stdout(): string;
  /** The lines for people so far. */
  stderr(): string;
  /** Resolves with the match once stdout or stderr has it. Rejects if the process ends without it. */
  output(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Sends a signal, SIGTERM by default. */
  kill(signal?: NodeJS.Signals): void;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | number | null }>;
  /** Kills the process if it is still running. May be called twice. */
  stop(): Promise<void>;
}

interface AgentProcessOptions {
  /** The environment, beside the `PATH` of the test run. */
  env?: Record<string, string>;
  /** Whether to wait until the agent has registered. Default: true. */
  connects?: boolean;
}

/**
 * Starts the command with these arguments, the server's address first. It has the agent key of a server that a
 * test has started, unless it is to be refused. The test that calls it kills it at its end.
 */
export async function startAgentProcess(
  args: readonly string[],
  { env, connects = true }: AgentProcessOptions = {},
): Promise<AgentProcess> {
  const folder = mkdtempSync(join(tmpdir(), "chatgpt-api-agent-test-"));
  const child = Bun.spawn([EXECUTABLE, "agent", ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...(connects && agentKeyEnv(args[0] ?? "")), ...env },
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
