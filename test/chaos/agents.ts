import type { Random } from "../support/random.ts";
import { chunk } from "../support/v2-agent.ts";
import type { Balancer, Place } from "./balancer.ts";
import { type AgentEntry, answerOf, PIECES, pieceOf } from "./logs.ts";
import { AGENT_KEY } from "./node-process.ts";

const ANSWER_MS = 60;
const BACK_OFF_MS = 200;

interface AgentOptions {
  name: string;
  balancer: Balancer;
  random: Random;
  log: AgentEntry[];
  now: () => number;
}

interface Frame {
  [field: string]: unknown;
}

/** An ask that is being answered. */
interface Work {
  entry: AgentEntry;
  timer: ReturnType<typeof setTimeout>;
}

/** An agent that connects to any node, again and again, and answers each ask in 60 ms. */
abstract class ChaosAgent {
  abstract readonly slots: number;
  protected abstract readonly protocols: string[];
  /** By the slot's id. */
  protected readonly working = new Map<string, Work>();
  protected socket: WebSocket | undefined;
  #isOver = false;
  protected reconnectMs = 0;
  isRegistered = false;

  constructor(private readonly options: AgentOptions) {}

  protected abstract receive(frame: Frame): void;
  protected opened(): void {}

  /** How many of its slots work. */
  get busy(): number {
    return this.working.size;
  }

  /** Connects until it is stopped. */
  async run(): Promise<void> {
    while (!this.#isOver) {
      await this.#connect(this.options.balancer.next());
      this.isRegistered = false;
      for (const { timer } of this.working.values()) clearTimeout(timer);
      this.working.clear();
      await Bun.sleep(this.reconnectMs + this.options.random.below(BACK_OFF_MS));
      this.reconnectMs = 0;
    }
  }

  /** Cuts the connection, as a crash does. */
  drop(): void {
    for (const { entry } of this.working.values()) entry.isDropped = true;
    this.socket?.terminate();
  }

  stop(): void {
    this.#isOver = true;
    this.socket?.close(1000);
  }

  /** Resolves when the connection has ended. */
  #connect(node: Place): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = new WebSocket(`${node.url.replace("http", "ws")}/client/register`, {
      protocols: this.protocols,
      headers: { authorization: `Bearer ${AGENT_KEY}` },
    });
    this.socket = socket;
    this.#node = node;
    // A node that hangs accepts connections, and says nothing.
    const limit = setTimeout(() => !this.isRegistered && socket.terminate(), 3_000);
    socket.onopen = () => this.opened();
    socket.onmessage = ({ data }) => this.receive(JSON.parse(String(data)));
    socket.onerror = () => resolve();
    socket.onclose = () => resolve();
    return promise.finally(() => clearTimeout(limit));
  }
  #node: Place | undefined;

  /** Notes that it has begun with the ask whose id is in the text of the request. */
  protected begin(text: string): AgentEntry {
    const { log, name, now } = this.options;
    const ask = /ask-\d+/.exec(text)?.[0] ?? "an ask without an id";
    const entry = {
      ask,
      agent: name,
      node: this.#node?.name ?? "",
      at: now(),
      isAccepted: false,
      isDropped: false,
    };
    log.push(entry);
    return entry;
  }

  protected say(frame: Frame): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  /** Runs steps one after another, until the ask's slot is cancelled or the connection ends. */
  protected work(slot: string, entry: AgentEntry, steps: readonly (() => void)[]): void {
    const next = (index: number) => {
      const wait = ANSWER_MS / steps.length;
      const timer = setTimeout(() => {
        if (index === steps.length - 1) this.working.delete(slot);
        steps[index]?.();
        if (index < steps.length - 1) next(index + 1);
      }, wait);
      this.working.set(slot, { entry, timer });
    };
    next(0);
  }

  protected cancel(slot: string): void {
    clearTimeout(this.working.get(slot)?.timer);
    this.working.delete(slot);
  }
}

class V2Agent extends ChaosAgent {
  readonly slots = 3;
  protected readonly protocols = ["chatgpt-agent.v2"];
  #identity: { agent?: string; resume?: string } = {};

  protected override opened(): void {
    const offer = { slots: this.slots, models: [{ id: "m" }], endpoints: ["chat/completions"] };
    this.say({ type: "hello", name: "chaos", version: "1", ...offer, ...this.#identity });
  }

  protected receive(frame: Frame): void {
    if (frame["type"] === "ready") {
      this.isRegistered = true;
      this.#identity = { agent: String(frame["agent"]), resume: String(frame["resume"]) };
    } else if (frame["type"] === "ping") this.say({ type: "pong" });
    else if (frame["type"] === "cancel") this.cancel(String(frame["ask"]));
    else if (frame["type"] === "drain") this.reconnectMs = Number(frame["reconnect_ms"]);
    else if (frame["type"] === "ask") this.#answer(String(frame["ask"]), frame);
  }

  #answer(slot: string, { body, stream }: Frame): void {
    const entry = this.begin(String(body));
    if (stream) this.#stream(slot, entry);
    else this.#answerWhole(slot, entry);
  }

  #answerWhole(slot: string, entry: AgentEntry): void {
    const { ask } = entry;
    const message = { role: "assistant", content: answerOf(ask) };
    const answer = {
      ...{ id: ask, object: "chat.completion", created: 1, model: "m" },
      choices: [{ index: 0, message, finish_reason: "stop" }],
    };
    this.work(slot, entry, [
      () => this.say({ type: "done", ask: slot, status: 200, body: JSON.stringify(answer) }),
    ]);
  }

  #stream(slot: string, entry: AgentEntry): void {
    const { ask } = entry;
    this.say({ type: "accept", ask: slot });
    entry.isAccepted = true;
    const pieces = Array.from({ length: PIECES }, (_, index) => () => {
      this.say({ type: "delta", ask: slot, data: chunk(pieceOf(ask, index)) });
    });
    const end = () => {
      this.say({ type: "delta", ask: slot, data: "[DONE]" });
      this.say({ type: "done", ask: slot, status: 200 });
    };
    this.work(slot, entry, [...pieces, end]);
  }
}

class V1Agent extends ChaosAgent {
  readonly slots = 1;
  protected readonly protocols = [];
  readonly #id = crypto.randomUUID();

  protected receive({ id, message, data }: Frame): void {
    if (message === "Connection id") {
      this.say({ id: this.#id, message, data: "" });
      this.isRegistered = true;
    } else if (message === "ping") this.say({ id, message: "pong", data: "" });
    else if (message === "ChatGptRequest") this.#answer(String(id), String(data));
  }

  #answer(slot: string, data: string): void {
    const entry = this.begin(data);
    const request = JSON.parse(data) as { message_id: string; conversation_id: string };
    const answer = {
      ...{
        id: request.message_id,
        response_id: crypto.randomUUID(),
        error: "",
        content: answerOf(entry.ask),
      },
      conversation_id: request.conversation_id || crypto.randomUUID(),
    };
    const text = JSON.stringify(answer);
    this.work(slot, entry, [() => this.say({ id: slot, message: "ChatGptResponse", data: text })]);
  }
}

const V2_COUNT = 6;
const V1_COUNT = 6;

/** The agents of a run: 24 slots, a quarter of them at v1 agents. */
export class Agents {
  readonly log: AgentEntry[] = [];
  readonly #agents: ChaosAgent[];
  readonly #random: Random;
  readonly #running: Promise<void>[];

  constructor(options: Omit<AgentOptions, "name" | "log">) {
    this.#random = options.random;
    const optionsOf = (name: string) => ({ ...options, name, log: this.log });
    this.#agents = [
      ...Array.from({ length: V2_COUNT }, (_, index) => new V2Agent(optionsOf(`v2-${index}`))),
      ...Array.from({ length: V1_COUNT }, (_, index) => new V1Agent(optionsOf(`v1-${index}`))),
    ];
    this.#running = this.#agents.map((agent) => agent.run());
  }

  get slots(): number {
    return this.#agents.reduce((sum, { slots }) => sum + slots, 0);
  }

  get slotsRegistered(): number {
    return this.#agents.reduce((sum, { slots, isRegistered }) => sum + (isRegistered ? slots : 0), 0);
  }

  get slotsBusy(): number {
    return this.#agents.reduce((sum, { busy }) => sum + busy, 0);
  }

  /** Cuts the connections of a few agents. */
  drop(count: number): void {
    for (let left = count; left > 0; left--) this.#random.pick(this.#agents).drop();
  }

  async stop(): Promise<void> {
    for (const agent of this.#agents) agent.stop();
    await Promise.all(this.#running);
  }
}
