import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLUSTER_KEY } from "../support/keys.ts";

export const ADMIN_KEY = "admin-key-of-the-chaos";
export const AGENT_KEY = "agent-key-of-the-chaos";
const START_MS = 30_000;

export interface NodeOptions {
  name: string;
  port: number;
  /** The executable with its first arguments. */
  command: readonly string[];
  flags: readonly string[];
  database: string;
  /** The address of NATS as the node sees it; undefined for a single server. */
  nats: string | undefined;
  clusterName: string;
}

/** A node in a process of its own, which is started again and again on the same port. */
export class NodeProcess {
  readonly name: string;
  readonly url: string;
  readonly #options: NodeOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), "chatgpt-api-chaos-"));
  #child: Bun.Subprocess | undefined;
  #starts = 0;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.name = options.name;
    this.url = `http://127.0.0.1:${options.port}`;
  }

  /** Starts it, and resolves once it can take requests. */
  async start(): Promise<void> {
    const { command, port, flags, database, nats, clusterName, name } = this.#options;
    const log = openSync(this.#logPath(++this.#starts), "w");
    this.#child = Bun.spawn([...command, String(port), "--host", "127.0.0.1", ...flags], {
      cwd: this.#folder,
      stdin: "ignore",
      stdout: log,
      stderr: log,
      env: {
        PATH: process.env["PATH"],
        ADMIN_KEY,
        AGENT_KEY,
        CHATGPT_API_DATABASE: database,
        CHATGPT_API_CLUSTER_KEY: CLUSTER_KEY,
        ...(nats && { CHATGPT_API_NATS: nats, CHATGPT_API_NODE_NAME: name }),
        ...(nats && { CHATGPT_API_CLUSTER_NAME: clusterName }),
      },
    });
    const limit = performance.now() + START_MS;
    while (!(await this.isReady())) {
      if (this.#child.exitCode !== null || performance.now() > limit)
        throw new Error(`${name} did not start:\n${this.log().slice(-2_000)}`);
      await Bun.sleep(20);
    }
  }

  async isReady(timeoutMs = 2_000): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await fetch(`${this.url}/ready?agents=0`, { signal, keepalive: false });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Resolves with the exit code, or null after a signal that ended it. */
  async exited(): Promise<number | null> {
    await this.#child?.exited;
    return this.#child?.exitCode ?? null;
  }

  /** Returns how many files and sockets it has open. */
  async openFiles(): Promise<number> {
    return (await readdir(`/proc/${this.#child?.pid}/fd`)).length;
  }

  /** Returns what it has logged since its last start. */
  log(): string {
    return readFileSync(this.#logPath(this.#starts), "utf8");
  }

  /** The folder with its logs, one for each start. */
  get folder(): string {
    return this.#folder;
  }

  async get<Body>(path: string): Promise<Body> {
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const response = await fetch(this.url + path, { headers, keepalive: false });
    return (await response.json()) as Body;
  }

  async remove(keepLogs: boolean): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
    if (!keepLogs) rmSync(this.#folder, { recursive: true, force: true });
  }

  #logPath(start: number): string {
    return join(this.#folder, `${this.#options.name}-${start}.log`);
  }
}
