/*
 * Sends random requests and agents' frames to the executable, and checks what it does:
 *
 *     bun test/fuzz/random-load.ts --requests 1000000 --frames 1000000 [--seed 1] [--connections 32]
 *
 * docs/security.md has the figures of such a run. SIGINT ends it early. It exits with 1 if there was a fault.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cpuMicros, residentBytes } from "../bench/process-stats.ts";
import { chooseSeed } from "../support/random.ts";
import { FUZZ_MODEL, runAgents } from "./random-agents.ts";
import { runCallers } from "./random-callers.ts";
import type { Known } from "./random-requests.ts";

/** Counts what happens. */
export interface Tally {
  requests: number;
  frames: number;
  readonly faultCount: number;
  /** Counts an outcome by its name. */
  note(outcome: string): void;
  /** Records something that must not happen. */
  fault(what: string): void;
}

interface LoadOptions {
  requests: number;
  frames: number;
  seed: number;
  connections: number;
  /** Ends the run early. */
  signal?: AbortSignal;
  /** Default: what `bun run build` makes. */
  executable?: string;
  /** Called now and then with a line of text. */
  onProgress?: (line: string) => void;
}

export interface LoadReport {
  requests: number;
  frames: number;
  outcomes: Record<string, number>;
  faults: readonly string[];
  seconds: number;
  cpuSeconds: number;
  /** The mean resident memory of each quarter of the run, in megabytes. */
  residentMB: readonly number[];
  /** The slowest answer of /health, in milliseconds. */
  healthMsMax: number;
}

const BUILT = join(import.meta.dir, "../../dist/chatgpt-api-server");

const ADMIN_KEY = "random-load-admin-key-0123456789";
const AGENT_KEY = "random-load-agent-key-0123456789";

/** All time limits are short, so that nobody waits for an agent that answers nothing. */
const FLAGS = [
  ...[
    "--agent-key",
    AGENT_KEY,
    "--echo",
    "--log",
    "json",
    "--log-level",
    "warn",
    "--key-failures-max",
    "1000000",
  ],
  ...["--first-byte", "1s", "--between-deltas", "1s", "--whole-answer", "2s", "--whole-stream", "2s"],
  ...["--queue-wait", "300ms", "--reconnect-grace", "0s", "--hello-within", "2s", "--body-within", "2s"],
];

/** More users and keys than these are deleted. */
const USERS_MAX = 50;
/** How many agents are connected at once. */
const AGENTS = 32;
const FAULTS_MAX = 50;
const SAMPLE_MS = 250;

/** Runs the whole load on an executable of its own. */
export async function runRandomLoad(options: LoadOptions): Promise<LoadReport> {
  const folder = await mkdtemp(join(tmpdir(), "chatgpt-api-server-load-"));
  const outcomes: Record<string, number> = {};
  const faults = new Set<string>();
  const tally: Tally = {
    requests: 0,
    frames: 0,
    get faultCount() {
      return faults.size;
    },
    note(outcome) {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    },
    fault: (what) => void (faults.size < FAULTS_MAX && faults.add(what)),
  };
  const server = await startServer(options.executable ?? BUILT, folder, tally);
  try {
    const startedAt = performance.now();
    const admin = createAdmin(server.url);
    const token = await admin.addUser();
    const watch = startWatch(server, admin, options, tally);
    const known = (): Known => ({
      ...{ adminKey: ADMIN_KEY, agentKey: AGENT_KEY, token, users: admin.users },
      models: ["echo", FUZZ_MODEL, FUZZ_MODEL, "chatgpt", "nope"],
    });
    const { url } = server;
    const { seed, connections, signal } = options;
    let isNeeded = true;
    const calling = runCallers({ url, known, seed, count: options.requests, connections, tally, signal });
    void calling.finally(() => {
      isNeeded = false;
    });
    await Promise.all([
      calling,
      runAgents({
        ...{ url, agentKey: AGENT_KEY, seed, count: options.frames, connections: AGENTS, tally, signal },
        isNeeded: () => isNeeded,
      }),
    ]);
    const { samples, healthMsMax } = await watch.stop();
    const cpuSeconds = cpuMicros(server.pid) / 1e6;
    const seconds = (performance.now() - startedAt) / 1000;
    await server.stop();
    const { requests, frames } = tally;
    const residentMB = quarters(samples).map((bytes) => Math.round(bytes / 1e6));
    return { requests, frames, outcomes, faults: [...faults], seconds, cpuSeconds, residentMB, healthMsMax };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function startServer(executable: string, folder: string, tally: Tally) {
  const child = Bun.spawn([executable, "0", ADMIN_KEY, "--host", "127.0.0.1", ...FLAGS], {
    cwd: folder,
    env: { PATH: process.env["PATH"], CHATGPT_API_DATA: join(folder, "data") },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const port = Promise.withResolvers<number>();
  let isStopping = false;
  void readLines(child.stderr, (line) => {
    const [, digits] = /127\.0\.0\.1:(\d+)/.exec(line) ?? [];
    if (digits) port.resolve(Number(digits));
  });
  void readLines(child.stdout, (line) => {
    if (/"level":"error"|"internal"/.test(line)) tally.fault(`log: ${line.slice(0, 500)}`);
  });
  void child.exited.then((code) => {
    port.reject(new Error(`The server ended with ${code}.`));
    if (!isStopping) tally.fault(`the server ended by itself: ${code} ${child.signalCode}`);
  });
  const stop = async () => {
    isStopping = true;
    child.kill();
    await child.exited;
  };
  return { url: `http://127.0.0.1:${await port.promise}`, pid: child.pid, stop };
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void) {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
}

/** Returns an administrator, who deletes the users and keys that random requests add. */
function createAdmin(url: string) {
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  const call = async (path: string, method = "GET") => {
    const response = await fetch(url + path, { method, headers });
    return (await response.json()) as never;
  };
  const admin = {
    users: [] as string[],
    async addUser(): Promise<string> {
      const { token } = (await call("/admin/users/add", "POST")) as { token: string };
      return token;
    },
    async cleanUp(): Promise<void> {
      const { users } = (await call("/admin/users")) as { users: { user_id: string }[] };
      // The first one is the user whose token the requests have.
      const [, ...others] = users.map(({ user_id }) => user_id);
      for (const id of others.slice(USERS_MAX))
        await call(`/admin/users/${encodeURIComponent(id)}`, "DELETE");
      admin.users = others.slice(0, USERS_MAX);
      const { keys } = (await call("/admin/agents/keys")) as { keys: { id: string }[] };
      for (const { id } of keys.slice(USERS_MAX)) await call(`/admin/agents/keys/${id}`, "DELETE");
    },
  };
  return admin;
}

/** Asks for /health, measures the memory, and tells the progress until it is stopped. */
function startWatch(
  { url, pid }: { url: string; pid: number },
  admin: ReturnType<typeof createAdmin>,
  options: LoadOptions,
  tally: Tally,
) {
  const samples: number[] = [];
  let healthMsMax = 0;
  let isOver = false;
  const run = async () => {
    for (let round = 0; !isOver; round++) {
      const at = performance.now();
      const status = await fetch(`${url}/health`).then((response) => response.status, String);
      healthMsMax = Math.max(healthMsMax, performance.now() - at);
      if (status !== 200) tally.fault(`/health: ${status}`);
      samples.push(residentBytes(pid));
      if (round % 20 === 0) await admin.cleanUp().catch((error) => tally.fault(`clean up: ${error}`));
      if (round % 40 === 0) options.onProgress?.(progress(tally, samples));
      await Bun.sleep(SAMPLE_MS);
    }
  };
  const running = run();
  return {
    async stop() {
      isOver = true;
      await running;
      return { samples, healthMsMax: Math.round(healthMsMax) };
    },
  };
}

const progress = ({ requests, frames, faultCount }: Tally, samples: readonly number[]) =>
  `${requests} requests, ${frames} frames, ${faultCount} faults, ${Math.round((samples.at(-1) ?? 0) / 1e6)} MB`;

function quarters(samples: readonly number[]): number[] {
  const size = Math.ceil(samples.length / 4);
  return [0, 1, 2, 3].map((at) => {
    const part = samples.slice(at * size, (at + 1) * size);
    return part.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, part.length);
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      requests: { type: "string", default: "100000" },
      frames: { type: "string", default: "100000" },
      seed: { type: "string", default: String(chooseSeed()) },
      connections: { type: "string", default: "96" },
      executable: { type: "string", default: BUILT },
    },
  });
  const say = (line: string) => process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  say(`seed ${values.seed}`);
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort());
  const report = await runRandomLoad({
    signal: abort.signal,
    ...{ requests: Number(values.requests), frames: Number(values.frames) },
    ...{ seed: Number(values.seed), connections: Number(values.connections) },
    ...{ executable: values.executable, onProgress: say },
  });
  process.stdout.write(`${JSON.stringify({ seed: Number(values.seed), ...report }, null, 2)}\n`);
  process.exit(report.faults.length > 0 ? 1 : 0);
}
