import { principalOf } from "../../src/principal.ts";
import type { Agent } from "../../src/relay/agent.ts";
import { Relay } from "../../src/relay/relay.ts";
import type { AgentCommand, ModelRequest, Signal } from "../../src/relay/types.ts";
import { createFakeClock } from "../support/clock.ts";
import { LIMITS } from "../support/relay.ts";

/** The time that each event of the core took, in microseconds, what it put off to a later turn included. */
export interface EventTimes {
  event: string;
  eachMicros: number[];
  /** Whether the rest was left out, as it took too long. */
  isCut: boolean;
}

interface Size {
  agents: number;
  waiting: number;
}

const MODELS = 100;
const EVENTS = 200;
/** The agents that send updates. They are as many at every size, so that the updates are the same. */
const UPDATED = 10;
/** One kind of event may take this long. */
const BUDGET_MS = 4_000;
const USERS = 16;
const BUSY = "busy";
const WANTED = "wanted";

/** The core with agents that have no sockets, of which `asked` gets the commands. */
class Core {
  readonly #later: (() => void)[] = [];
  readonly #slots = new Map<string, string[]>();
  readonly relay: Relay;
  #ids = 0;

  constructor() {
    const limits = { ...LIMITS, queueMax: 1e6, queueUserMax: 1e6 };
    const observe = { joined: () => {}, left: () => {}, ended: () => {} };
    this.relay = new Relay({
      ...{ clock: createFakeClock(), limits, observe },
      random: () => 0.5,
      newId: () => `id-${++this.#ids}`,
      soon: (run) => this.#later.push(run),
    });
  }

  join(id: string, models: readonly string[], slots = 1): Agent {
    const send = (command: AgentCommand) => {
      if (command.kind === "ask") this.#slots.getOrInsertComputed(id, () => []).push(command.slot);
      return true;
    };
    const sentBytes = () => ({ total: 0, buffered: 0, read: 0 });
    const profile = { id, name: id, address: "127.0.0.1", protocol: "v2", slots } as const;
    const offered = models.map((model) => ({ id: model }));
    const agent = this.relay.join(
      { ...profile, models: offered, endpoints: ["chat/completions"] },
      { send, close: () => {}, sentBytes },
    );
    if (!agent) throw new Error("An agent was not let in.");
    return agent;
  }

  /** The outcome matters to nobody. */
  ask(model: string, user: number): void {
    const request: ModelRequest = { endpoint: "chat/completions", stream: false, body: () => "{}" };
    const work = { model, requests: [request] };
    const origin = { requestId: "req", surface: "bench" };
    const principal = principalOf(`user-${user % USERS}`);
    this.relay.ask({ principal, work, origin }, NEVER).catch(() => {});
  }

  /** Answers the oldest ask of an agent. */
  answer(agent: Agent): void {
    const slot = this.#slots.get(agent.id)?.shift();
    if (slot === undefined) throw new Error("The agent has no ask.");
    this.relay.done(agent, slot, { kind: "model", status: 200, body: "{}", usage: undefined });
  }

  /** Runs what was put off to the end of the turn. */
  endTurn(): void {
    for (const run of this.#later.splice(0)) run();
  }
}

/** No caller leaves. One `AbortSignal` for all would get slower with each listener. */
const NEVER: Signal = { aborted: false, addEventListener: () => {} };

/** Measures a number of events one by one, each with the end of its turn. */
function time(event: string, core: Core, count: number, run: (index: number) => void): EventTimes {
  const eachMicros: number[] = [];
  const began = performance.now();
  for (let index = 0; index < count; index++) {
    const at = performance.now();
    run(index);
    core.endTurn();
    eachMicros.push((performance.now() - at) * 1000);
    if (performance.now() - began > BUDGET_MS) return { event, eachMicros, isCut: index < count - 1 };
  }
  return { event, eachMicros, isCut: false };
}

/** Measures the core's events among idle agents of many models, and asks that wait for one busy agent. */
export async function timeCoreEvents({ agents, waiting }: Size): Promise<EventTimes[]> {
  const core = new Core();
  const busy = core.join("busy", [BUSY]);
  const wanted = core.join("wanted", [WANTED], 8);
  const joined: Agent[] = [];
  const join = time("an agent joins", core, agents, (index) => {
    joined.push(core.join(`agent-${index}`, [`model-${index % MODELS}`]));
  });
  for (let index = 0; index <= waiting; index++) core.ask(BUSY, index);
  core.endTurn();
  const times = [
    join,
    time("an ask begins and ends", core, EVENTS, (index) => {
      core.ask(WANTED, index);
      core.answer(wanted);
    }),
    time("an agent's update", core, EVENTS, (index) => {
      const agent = joined[index % Math.min(UPDATED, joined.length)];
      if (agent)
        core.relay.update(agent, { models: [{ id: `model-${index % MODELS}` }, { id: `new-${index}` }] });
    }),
    time("a slot becomes free", core, Math.min(EVENTS, waiting), () => core.answer(busy)),
    time("an agent leaves", core, joined.length / 2, () => {
      const agent = joined.pop();
      if (agent) core.relay.gone(agent);
    }),
    time("the last agent of the waiting asks leaves", core, 1, () => core.relay.gone(busy)),
  ];
  core.relay.close();
  await Bun.sleep(0);
  return times;
}

/** Measures how long one turn takes in which all agents leave. */
export async function timeAllLeaving({ agents, waiting }: Size): Promise<EventTimes> {
  const core = new Core();
  core.join("busy", [BUSY]);
  const joined = Array.from({ length: agents }, (_, index) =>
    core.join(`agent-${index}`, [`model-${index % MODELS}`]),
  );
  for (let index = 0; index <= waiting; index++) core.ask(BUSY, index);
  core.endTurn();
  const began = performance.now();
  const times = time("all agents leave in one turn", core, 1, () => {
    for (const agent of joined) {
      core.relay.gone(agent);
      if (performance.now() - began > BUDGET_MS) return;
    }
  });
  core.relay.close();
  await Bun.sleep(0);
  return { ...times, isCut: performance.now() - began > BUDGET_MS };
}
