import { sendMalformedFrame, spoil } from "../support/malformed.ts";
import { createRandom, type Random } from "../support/random.ts";
import { type RawSocket, shakeHands } from "../support/raw-socket.ts";
import type { Tally } from "./random-load.ts";

interface AgentsOptions {
  url: string;
  agentKey: string;
  seed: number;
  count: number;
  /** How many agents are connected at once, a third of them of v1. */
  connections: number;
  tally: Tally;
  signal: AbortSignal | undefined;
  /** Whether requests are still sent, which need agents even when enough frames were sent. */
  isNeeded: () => boolean;
}

/** The name of the model that agents of v2 offer. */
export const FUZZ_MODEL = "fuzz";

const BURST_MAX = 30;
/** The pause between two bursts of an agent when enough frames were sent. */
const IDLE_MS = 20;

/** A connected agent, with the asks that it has. */
interface Agent {
  socket: RawSocket;
  asks: string[];
  isOver: boolean;
}

/** Connects agents of both protocols, which answer their asks and send random frames. */
export async function runAgents(options: AgentsOptions): Promise<void> {
  const { seed, count, tally, signal, isNeeded } = options;
  const goesOn = () => isNeeded() || (tally.frames < count && !signal?.aborted);
  const runOne = async (index: number) => {
    const random = createRandom(seed + 1000 + index);
    const isV2 = index % 3 !== 0;
    while (goesOn()) {
      const agent = await connect(options, isV2, random);
      if (!agent) continue;
      for (let bursts = 1 + random.below(40); bursts > 0 && !agent.isOver && goesOn(); bursts--) {
        sendBurst(agent, isV2, tally, random);
        await Promise.race([agent.socket.ping(), agent.socket.ended]);
        if (tally.frames > count) await Bun.sleep(IDLE_MS);
      }
      agent.socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: options.connections }, (_, index) => runOne(index)));
}

function sendBurst(agent: Agent, isV2: boolean, tally: Tally, random: Random): void {
  for (let frames = 1 + random.below(BURST_MAX); frames > 0 && !agent.isOver; frames--) {
    sendFrame(agent, isV2, random);
    tally.frames++;
  }
}

async function connect(options: AgentsOptions, isV2: boolean, random: Random): Promise<Agent | undefined> {
  const { url, agentKey, tally } = options;
  const handshake = await shakeHands(`${url}/agents/${agentKey}/client/register`, {
    localAddress: `127.0.0.${2 + random.below(200)}`,
    headers: isV2 ? { "Sec-WebSocket-Protocol": "chatgpt-agent.v2" } : {},
  }).catch(() => undefined);
  const { socket, status } = handshake ?? {};
  if (!socket) {
    tally.note(`agent refused ${status}`);
    if (status !== undefined && status >= 500 && status !== 503)
      tally.fault(`an agent was refused: ${status}`);
    await Bun.sleep(20);
    return undefined;
  }
  const agent: Agent = { socket, asks: [], isOver: false };
  void receive(agent, isV2, random).catch(() => {
    agent.isOver = true;
  });
  if (isV2) socket.send(random.next() < 0.95 ? JSON.stringify(hello(random)) : odd(hello(random), random));
  return agent;
}

const hello = (random: Random) => ({
  ...{ type: "hello", name: "fuzz", version: "1", slots: 1 + random.below(16) },
  models: [{ id: FUZZ_MODEL }],
  endpoints: ["chat/completions", "completions", "embeddings", "responses", "messages"],
});

async function receive(agent: Agent, isV2: boolean, random: Random): Promise<void> {
  const { socket } = agent;
  const take = isV2 ? takeV2 : takeV1;
  for (let message = await socket.receive(); message; message = await socket.receive()) {
    take(agent, JSON.parse(message.text));
    // Some asks are forgotten, and end at the server's time limit.
    if (agent.asks.length > 32) agent.asks.splice(0, 16);
    if (random.next() < 0.0005) socket.destroy();
  }
  agent.isOver = true;
}

function takeV1(agent: Agent, { id, message }: { id: string; message: string }): void {
  if (message === "ChatGptRequest") agent.asks.push(id);
  else if (message !== "drain") agent.socket.send(JSON.stringify({ id, message: "", data: "" }));
}

function takeV2(agent: Agent, { type, ask }: { type: string; ask: string }): void {
  if (type === "ask") agent.asks.push(ask);
  if (type === "ping") agent.socket.send('{"type":"pong"}');
}

function sendFrame(agent: Agent, isV2: boolean, random: Random): void {
  const ask = agent.asks.length > 0 && random.next() < 0.95 ? random.pick(agent.asks) : crypto.randomUUID();
  const chance = random.next();
  if (chance < 0.002) sendMalformedFrame(agent.socket, ask, random);
  else {
    const frame = isV2 ? v2Frame(agent, ask, random) : v1Frame(agent, ask, random);
    agent.socket.send(chance < 0.004 ? odd(frame, random) : JSON.stringify(frame));
  }
}

const odd = (frame: object, random: Random) => spoil(frame as Parameters<typeof spoil>[0], random).bytes;

const drop = (agent: Agent, ask: string) => {
  agent.asks = agent.asks.filter((one) => one !== ask);
};

function v1Frame(agent: Agent, ask: string, random: Random): object {
  drop(agent, ask);
  const answer = { id: "x", response_id: "r", conversation_id: "c", content: "fine" };
  const data =
    random.next() < 0.9 ? JSON.stringify(answer) : random.pick(["", "null", "[]", '{"error":"no"}']);
  return { id: ask, message: "ChatGptResponse", data };
}

const CHUNK = (random: Random) =>
  random.pick([
    JSON.stringify({ choices: [{ index: 0, delta: { content: "word " }, finish_reason: null }] }),
    JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
    JSON.stringify({ choices: null, usage: { prompt_tokens: 1, completion_tokens: random.below(9) } }),
    JSON.stringify({ error: { message: "overloaded" } }),
    ...["[DONE]", "", "null", "x".repeat(random.below(3000))],
  ]);

function v2Frame(agent: Agent, ask: string, random: Random): object {
  const chance = random.next();
  if (chance < 0.6)
    return { type: "delta", ask, data: CHUNK(random), ...(chance < 0.05 && { event: "ping" }) };
  if (chance < 0.65) return { type: random.pick(["accept", "alive"]), ask };
  if (chance < 0.68) return { type: "update", slots: random.below(20), models: [{ id: FUZZ_MODEL }] };
  if (chance < 0.69) return random.pick([{ type: "pause" }, { type: "pong" }, { type: "unknown", a: 1 }]);
  drop(agent, ask);
  if (chance < 0.75) return failFrame(ask, random);
  const usage = { prompt_tokens: random.pick([1, 2 ** 53 - 1, -1]), completion_tokens: 3 };
  const body = JSON.stringify({
    choices: [{ index: 0, message: { content: "hi" }, finish_reason: "stop" }],
    usage,
  });
  const status = random.next() < 0.85 ? 200 : random.pick([100, 101, 204, 302, 400, 401, 429, 500, 599, 600]);
  return { type: "done", ask, status, usage, ...(random.next() < 0.8 && { body }) };
}

function failFrame(ask: string, random: Random): object {
  const status = random.pick([101, 200, 400, 401, 402, 403, 429, 500, 503]);
  const error = { message: random.pick(["no", "", "\u0000\r\n"]), type: null, code: "x" };
  const headers = { "retry-after": random.pick(["1", "99999"]), other: "x" };
  const body = random.pick(["{}", "<html>", '{"error":{"message":"upstream"}}']);
  const more = random.next() < 0.5 ? { status, body, headers } : {};
  return { type: "fail", ask, error, ...more, retryable: random.next() < 0.5 };
}
