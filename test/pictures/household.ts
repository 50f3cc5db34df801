import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Machine, startMachine } from "./machine.ts";

export const EXECUTABLE = join(import.meta.dir, "../../dist/chatgpt-api-server");

/** A server with the agents of three machines, and people who use it. */
export interface Household {
  url: string;
  adminKey: string;
  /** Lets the people ask, until the household is stopped. */
  play(): void;
  stop(): Promise<void>;
}

/** Someone who asks, as often as `everyMs` says on average, and more often in waves. */
interface Person {
  name: string;
  models: readonly string[];
  everyMs: number;
}

const ADMIN_KEY = "admin-key-of-the-pictures";
const MACHINES: readonly Machine[] = [
  { name: "desktop", models: ["llama3.2", "qwen3:14b"], slots: 4, firstByteMs: 420, tokensPerS: 42 },
  { name: "gpu-box", models: ["qwen3:14b", "gpt-oss:20b"], slots: 12, firstByteMs: 180, tokensPerS: 85 },
  { name: "laptop", models: ["llama3.2", "gemma3:4b"], slots: 3, firstByteMs: 650, tokensPerS: 30 },
];
const PEOPLE: readonly Person[] = [
  { name: "Ann", models: ["qwen3:14b", "gpt-oss:20b"], everyMs: 2_200 },
  { name: "Ben", models: ["llama3.2"], everyMs: 3_500 },
  { name: "Chloe", models: ["gemma3:4b", "llama3.2"], everyMs: 5_200 },
  { name: "build server", models: ["gpt-oss:20b"], everyMs: 2_800 },
];
const WAVE_MS = 290_000;
/** One request of this many fails at its model server, and moves to another machine if one has the model. */
const FAILS_ONE_OF = 150;

/** Starts the executable with an agent for each machine. */
export async function startHousehold(): Promise<Household> {
  const folder = mkdtempSync(join(tmpdir(), "chatgpt-api-pictures-"));
  const children: Bun.Subprocess[] = [];
  const life = new AbortController();
  const run = async (args: readonly string[], sign: RegExp) => {
    const options = { cwd: folder, stdin: "ignore", stdout: "pipe", stderr: "ignore" } as const;
    const child = Bun.spawn([EXECUTABLE, ...args], {
      ...options,
      env: { PATH: process.env["PATH"], HOME: folder },
    });
    children.push(child);
    return firstMatch(child.stdout, sign);
  };
  const [, port] = await run(["0", ADMIN_KEY, "--host", "127.0.0.1"], /"listening","port":(\d+)/);
  const url = `http://127.0.0.1:${port}`;
  const machines = MACHINES.map((machine) => startMachine(machine, FAILS_ONE_OF));
  const agentKey = (await Bun.file(join(folder, "data/agent.key")).text()).trim();
  for (const { name, slots, url: upstream } of machines)
    await run(
      [
        "agent",
        `${url}/agents/${agentKey}`,
        "--name",
        name,
        "--slots",
        String(slots),
        "--upstream",
        upstream,
      ],
      /"server_connected"/,
    );
  const tokens = await Promise.all(PEOPLE.map(({ name }) => addUser(url, name)));
  return {
    url,
    adminKey: ADMIN_KEY,
    play: () => {
      for (const [index, person] of PEOPLE.entries())
        void keepAsking(url, person, tokens[index] ?? "", life.signal);
    },
    stop: async () => {
      life.abort();
      for (const child of children.toReversed()) child.kill("SIGKILL");
      await Promise.all(children.map(({ exited }) => exited));
      for (const { stop } of machines) await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves with the first match, and reads on, so that the writer never waits. */
async function firstMatch(stream: ReadableStream<Uint8Array>, sign: RegExp): Promise<RegExpMatchArray> {
  const { promise, resolve, reject } = Promise.withResolvers<RegExpMatchArray>();
  const read = async () => {
    const decoder = new TextDecoder();
    let text = "";
    for await (const bytes of stream) {
      if (text.length < 65_536) text += decoder.decode(bytes, { stream: true });
      const match = sign.exec(text);
      if (match) resolve(match);
    }
    reject(new Error(`no ${sign} in:\n${text}`));
  };
  void read();
  return promise;
}

async function addUser(url: string, name: string): Promise<string> {
  const headers = { authorization: ADMIN_KEY };
  const response = await fetch(`${url}/admin/users/add`, {
    method: "POST",
    headers,
    body: JSON.stringify({ name }),
  });
  return ((await response.json()) as { token: string }).token;
}

async function keepAsking(
  url: string,
  { models, everyMs }: Person,
  token: string,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const wave = 1 + 0.7 * Math.sin((performance.now() / WAVE_MS) * 2 * Math.PI);
    await Bun.sleep((-Math.log(1 - Math.random()) * everyMs) / wave);
    const model = models[Math.floor(Math.random() * models.length)];
    // Those who still wait when the household is stopped get no answer.
    void ask(url, token, model ?? "", signal).catch(() => {});
  }
}

async function ask(url: string, token: string, model: string, signal: AbortSignal): Promise<void> {
  const body = { model, stream: true, messages: [{ role: "user", content: `Question ${Math.random()}` }] };
  const headers = { authorization: `Bearer ${token}` };
  const init = { method: "POST", headers, body: JSON.stringify(body), signal };
  const response = await fetch(`${url}/v1/chat/completions`, init);
  await response.text();
}
