import { AppError } from "../../../src/errors.ts";
import { principalOf } from "../../../src/principal.ts";
import type { RelayLimits } from "../../../src/relay/types.ts";
import { createFakeClock } from "../../support/clock.ts";
import { createRandom, type Random } from "../../support/random.ts";
import { settle } from "../../support/relay.ts";
import { type ClusterNode, createCluster } from "./nodes.ts";
import { PIECES, PlayedAgent } from "./played-agent.ts";

/** `none`: agents and links work. `links`: links break. `all`: agents fail, too. */
export type Faults = "none" | "links" | "all";

/** An ask, and what has come of it. */
interface Asked {
  content: string;
  isV1: boolean;
  pin: string | undefined;
  deltas: string[];
  outcome: string | undefined;
  /** How often it ended, and how many deltas came after that. */
  ended: number;
  late: number;
  executions: number;
  isAborted: boolean;
}

const SLOTS_MAX = 3;
const STEPS = 300;
/** Longer than busy agents need for all that waits, and shorter than an ask may wait at all. */
const LONG_MS = 100_000;
const USERS = ["u1", "u2", "u3", "u4"];

/** Nobody is too late, so that only a fault can make an ask fail. */
const PATIENT: Partial<RelayLimits> = {
  ...{ queueMax: 10_000, queueUserMax: 10_000, queueWaitMs: 1e8, agentFailuresMax: 0 },
  ...{ firstByteMs: 1e8, wholeAnswerMs: 1e8, betweenDeltasMs: 1e8, wholeStreamMs: 1e8 },
};
const STRICT: Partial<RelayLimits> = { queueMax: 30, queueUserMax: 15 };

/** Three nodes, agents of both protocols and callers, and everything that they may do, one step at a time. */
export class Chaos {
  readonly asked: Asked[] = [];
  readonly faults: string[] = [];
  readonly #clock = createFakeClock();
  readonly #random: Random;
  readonly #agents = new Map<string, PlayedAgent>();
  readonly #callers: AbortController[] = [];
  readonly #cluster: ReturnType<typeof createCluster>;

  constructor(
    seed: number,
    readonly mode: Faults,
  ) {
    const random = createRandom(seed);
    this.#random = random;
    this.#cluster = createCluster({
      ...{ clock: this.#clock, count: 3, random: () => random.next() },
      delayMs: () => (random.next() < 0.05 ? random.below(mode === "none" ? 200 : 3_000) : random.below(20)),
      limits: mode === "all" ? STRICT : PATIENT,
      ended: (_, { requestId }) => {
        const one = this.asked[Number(requestId)];
        if (one) one.ended++;
      },
    });
    if (mode !== "all") for (const node of this.nodes) this.#joinSome(node);
  }

  get nodes(): ClusterNode[] {
    return this.#cluster.nodes;
  }

  get offers() {
    return this.nodes.map(({ relay }) => relay.lendingStats().offers);
  }

  #joinSome({ id, relay }: ClusterNode): void {
    for (const protocol of ["v1", "v2"] as const) this.#join(`${id}-${protocol}`, relay, protocol);
  }

  #join(id: string, relay: ClusterNode["relay"], protocol: "v1" | "v2"): void {
    const slots = protocol === "v1" ? 1 : 1 + this.#random.below(SLOTS_MAX);
    const onAsk = (content: string) => {
      const one = this.asked[Number(content)];
      if (one) one.executions++;
    };
    const models = protocol === "v1" ? ["m"] : this.#models();
    this.#agents.set(id, new PlayedAgent(relay, { id, protocol, slots, models }, onAsk));
  }

  #models(): string[] {
    const few = this.#random.pick([["m"], ["n"], ["m", "n"]]);
    return this.mode === "all" ? few : ["m", "n"];
  }

  #connected(): PlayedAgent[] {
    return [...this.#agents.values()].filter(({ isConnected }) => isConnected);
  }

  #ask(): void {
    const random = this.#random;
    const { relay } = random.pick(this.nodes);
    const content = `${this.asked.length}`;
    const isV1 = random.next() < 0.3;
    const [agent] = this.#connected().filter(({ agent: { isV1: is } }) => is === isV1);
    const pin = isV1 && agent && random.next() < 0.2 ? agent.agent.id : undefined;
    const prefer = random.next() < 0.2 ? agent?.agent.id : undefined;
    const caller = new AbortController();
    const asked: Asked = {
      ...{ content, isV1, pin, deltas: [], outcome: undefined },
      ...{ ended: 0, late: 0, executions: 0, isAborted: false },
    };
    this.asked.push(asked);
    this.#callers.push(caller);
    const v1 = { message_id: "", conversation_id: "", parent_id: "", content };
    const request = { endpoint: "chat/completions", stream: true, body: () => content } as const;
    const [model, fallback] = random.next() < 0.7 ? ["m", "n"] : ["n", "m"];
    const fallbacks = this.mode === "all" && random.next() < 0.3 ? [fallback] : undefined;
    const work = isV1 ? { v1 } : { model, fallbacks, requests: [request] };
    const origin = { requestId: content, surface: "test" };
    const onDelta = ({ data }: { data: string }) => {
      asked.deltas.push(data);
      if (asked.ended > 0) asked.late++;
    };
    const principal = principalOf(random.pick(USERS));
    const priority = random.pick(["high", "normal", "low"] as const);
    relay.ask({ principal, priority, pin, prefer, work, origin, onDelta }, caller.signal).then(
      ({ answer }) => {
        asked.outcome = answer.kind === "v1" ? answer.answer.content : `${answer.status}`;
      },
      (error) => {
        asked.outcome = error instanceof AppError ? error.code : `${error}`;
      },
    );
  }

  #abort(): void {
    const index = this.#random.below(this.#callers.length);
    const [one, caller] = [this.asked[index], this.#callers[index]];
    if (!one || !caller || one.outcome !== undefined) return;
    one.isAborted = true;
    caller.abort();
  }

  #cut(): void {
    const one = this.#random.pick(this.nodes);
    const other = this.#random.pick(this.nodes);
    if (!this.#cluster.isLinked(one, other)) return;
    const backMs = this.#random.below(5_000);
    this.#cluster.cut(
      one,
      other,
      () => this.#random.below(5_000),
      () => this.#clock.after(backMs, () => this.#cluster.meet(one, other)),
    );
  }

  #change(): void {
    const random = this.#random;
    const agents = this.#connected();
    if (agents.length === 0) return;
    const { relay, agent } = random.pick(agents);
    if (random.next() < 0.3) relay.pause(agent);
    else
      relay.update(agent, {
        slots: 1 + random.below(SLOTS_MAX),
        models: random.next() < 0.8 ? this.#models().map((id) => ({ id })) : [],
      });
    this.#cluster.changed();
  }

  #agentFault(): void {
    const random = this.#random;
    const agents = this.#connected();
    const agent = agents.length > 0 ? random.pick(agents) : undefined;
    const what = random.below(5);
    if (what === 0) {
      const id = `a${random.below(7)}`;
      if (this.#agents.get(id)?.isConnected) return;
      this.#join(id, random.pick(this.nodes).relay, random.pick(["v1", "v2"]));
    } else if (what === 1) agent?.leave();
    else if (what === 2) agent?.refuse(random);
    else if (what === 3) this.#change();
    else if (agent && random.next() < 0.3) agent.takesFrames = false;
  }

  #work(): void {
    const agents = this.#connected().filter(({ tasks }) => tasks.length > 0);
    if (agents.length > 0) this.#random.pick(agents).step(this.#random);
  }

  #step(): void {
    const chance = this.#random.next();
    if (chance < 0.25) this.#ask();
    else if (chance < 0.6) this.#work();
    else if (chance < 0.65) this.#abort();
    else if (chance < 0.72 && this.mode !== "none") this.#cut();
    else if (chance < 0.85 && this.mode === "all") this.#agentFault();
    else this.#clock.advance(this.#random.pick([0, 1, 5, 20, 100, 1_000]));
  }

  /** Runs all steps, lets everything come to an end, and notes what is wrong. */
  async run(): Promise<void> {
    for (let count = 0; count < STEPS; count++) {
      this.#step();
      if (this.#random.next() < 0.7) await settle();
      this.#checkSlots();
    }
    await this.#finish();
    this.#checkEnd();
    for (const one of this.asked) this.#check(one);
  }

  async #finish(): Promise<void> {
    const isOpen = () => this.asked.some(({ outcome }) => outcome === undefined);
    const hasTickets = () => this.nodes.some(({ relay }) => relay.lendingStats().tickets > 0);
    const beganAt = this.#clock.now();
    for (let count = 0; count < 5_000 && (count < 30 || isOpen() || hasTickets()); count++) {
      if (count % 100 === 0) this.#repair();
      for (const agent of this.#connected()) for (const _ of [...agent.tasks]) agent.step(this.#random);
      this.#clock.advance(this.#random.pick([5, 20, 1_000]));
      await settle();
      if (this.#clock.now() - beganAt > LONG_MS) this.#checkWaits();
    }
  }

  /** While all agents work, nobody waits for long, unless for an agent that is gone. */
  #checkWaits(): void {
    for (const { id, relay } of this.nodes)
      for (const { requestId, waitedMs } of relay.waitingAsks())
        if (waitedMs > LONG_MS && this.asked[Number(requestId)]?.pin === undefined)
          this.faults.push(`${id}: ${requestId} waits for ${waitedMs} ms`);
  }

  /** Lets all agents work again, and each node have some. */
  #repair(): void {
    if (this.mode !== "all") return;
    for (const agent of this.#connected()) {
      agent.takesFrames = true;
      agent.relay.update(agent.agent, { models: [{ id: "m" }, { id: "n" }] });
    }
    for (const node of this.nodes)
      if (!this.#agents.get(`${node.id}-v1`)?.isConnected || !this.#agents.get(`${node.id}-v2`)?.isConnected)
        this.#joinSome(node);
    this.#cluster.changed();
  }

  #checkSlots(): void {
    for (const { agent, tasks } of this.#connected()) {
      const most = this.mode === "all" ? SLOTS_MAX : agent.offer.slots;
      if (agent.inUse.size > most) this.faults.push(`${agent.id} has ${agent.inUse.size} slots in use`);
      if (!agent.isV1 && tasks.length > most) this.faults.push(`${agent.id} has ${tasks.length} asks`);
    }
  }

  #checkEnd(): void {
    for (const agent of this.#connected()) agent.leave();
    this.#clock.advance(20_000);
    for (const { id, relay } of this.nodes) {
      const { asks_waiting, asks_running, slots_in_use } = relay.stats();
      const { tickets, slotsLent, slotsBorrowed } = relay.lendingStats();
      const own = relay.waitingTickets().length;
      const left = { own, asks_waiting, asks_running, slots_in_use, tickets, slotsLent, slotsBorrowed };
      if (Object.values(left).some((count) => count > 0)) this.faults.push(`${id}: ${JSON.stringify(left)}`);
    }
    if (this.#clock.pending() > 0) this.faults.push(`${this.#clock.pending()} timers are left`);
  }

  #check(one: Asked): void {
    const { content, isV1, pin, deltas, outcome, ended, late, executions, isAborted } = one;
    const fault = (text: string) => this.faults.push(`${content}: ${text}, ${JSON.stringify(one)}`);
    const isAnswered = outcome === "200" || outcome === `echo: ${content}`;
    const whole = Array.from({ length: PIECES }, (_, index) => `${content}/${index}`);
    if (outcome === undefined) fault("no outcome");
    if (ended !== 1) fault("not one end");
    if (late > 0) fault("deltas after the outcome");
    if (isAnswered && (outcome === "200") === isV1) fault("another's answer");
    const expected = outcome === "200" ? whole : whole.slice(0, deltas.length);
    if (deltas.join() !== expected.join()) fault("wrong deltas");
    if (this.mode === "none" && executions > 1) fault("was executed twice");
    if (isAnswered || isAborted || this.mode === "all") return;
    // Its only agent may have added the question to the text already.
    if (this.mode === "links" && (deltas.length > 0 || pin !== undefined)) return;
    fault("failed without a reason");
  }
}
