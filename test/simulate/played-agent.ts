import type { Cancel } from "../../src/clock.ts";
import { AppError } from "../../src/errors.ts";
import type { Model } from "../../src/protocol/agent-v2.ts";
import type { Agent } from "../../src/relay/agent.ts";
import type { AgentCommand, ModelAnswer, Transport } from "../../src/relay/types.ts";
import type { Client } from "./client.ts";
import { playFault } from "./faults.ts";
import { type Job, Machine } from "./machine.ts";
import type { Play } from "./play.ts";
import type { AgentGroup, Fault } from "./pool.ts";
import { Recovery } from "./recovery.ts";

type AskCommand = Extract<AgentCommand, { kind: "ask" }>;

/** An ask that the agent has. */
interface Run {
  slot: string;
  client: Client;
  job: Job | undefined;
  stopTimer: Cancel | undefined;
}

const REFUSED = new AppError("agent_failed", { upstream: { status: 503, body: "" } });
const CUT = new AppError("agent_failed", { extra: { err: "the stream was cut" } });
const TOKEN = { data: '{"choices":[{"delta":{"content":"a"}}]}' };

function answerWith({ earlierTokens, inputTokens, outputTokens }: Client): ModelAnswer {
  const usage = { prompt_tokens: earlierTokens + inputTokens, completion_tokens: outputTokens };
  return { kind: "model", status: 200, body: undefined, usage };
}

/** The time from a change of the loaded models until the agent has told it. */
const REPORT_MS = 1_000;
/** The longest pause of an answer. One token for each such time is enough to be heard. */
const PAUSE_MS_MAX = 20_000;
/** An agent whose connection was closed comes back after this time. */
const RECONNECT_MS = 1_000;
const NO_BYTES = { total: 0, buffered: 0, read: 0 };

/** An agent with its machine, as the server sees it. */
export class PlayedAgent {
  readonly machine: Machine;
  readonly recovery: Recovery;
  /** The agent's connection; undefined while it has none. */
  connection: Agent | undefined;
  /** How many asks it was sent, and how many of them it failed. */
  sent = 0;
  failed = 0;
  /** The time that its slots were in use, together. */
  busyMs = 0;
  readonly #runs = new Map<string, Run>();
  /** How many faults of each kind it has now. */
  readonly #faults = { refuse: 0, slow: 0, cut: 0, away: 0 };
  #isReportDue = false;

  constructor(
    readonly id: string,
    readonly group: AgentGroup,
    private readonly play: Play,
    private readonly clientOf: (origin: { requestId: string }) => Client,
  ) {
    const { clock } = play;
    this.machine = new Machine(group, clock.now, () => this.#reportSoon());
    this.recovery = new Recovery(clock.now);
  }

  /** Whether it fails asks at this moment, or is not connected. */
  get isBroken(): boolean {
    return this.#faults.refuse + this.#faults.away + this.#faults.cut > 0;
  }

  get isSlow(): boolean {
    return this.#faults.slow > 0;
  }

  start(): void {
    this.#join();
    for (const fault of this.group.faults)
      playFault(
        fault,
        this.play,
        () => this.#beginFault(fault),
        () => this.#endFault(fault),
      );
  }

  #beginFault({ kind, factor }: Fault): void {
    this.#faults[kind]++;
    if (kind === "slow") this.machine.slowness *= factor;
    else this.recovery.broke();
    if (kind === "away") this.#leave();
  }

  #endFault({ kind, factor }: Fault): void {
    this.#faults[kind]--;
    if (kind === "slow") this.machine.slowness /= factor;
    else if (!this.isBroken) this.recovery.recovered();
    if (kind === "away") this.#join();
  }

  #join(): void {
    if (this.#faults.away > 0 || this.connection) return;
    const { id, group } = this;
    const { slots, priority, weight, tags, owner } = group;
    this.connection = this.play.relay.join(
      {
        ...{ id, name: id, address: "127.0.0.1", resumed: true, protocol: "v2", slots },
        models: this.#models(),
        endpoints: ["chat/completions"],
        preference: { priority, weight, tags, ownerId: owner },
      },
      this.#transport(),
    );
  }

  #leave(): void {
    const agent = this.connection;
    if (!agent) return;
    this.connection = undefined;
    this.#dropAll();
    this.play.relay.gone(agent);
  }

  #transport(): Transport {
    return {
      sentBytes: () => NO_BYTES,
      send: (command) => {
        if (command.kind === "ask") this.#take(command);
        else if (command.kind === "cancel") this.#drop(command.slot);
        else this.play.clock.after(this.group.pingMs, () => this.#pong());
        return true;
      },
      close: () => {
        this.connection = undefined;
        this.#dropAll();
        this.play.clock.after(RECONNECT_MS, () => this.#join());
      },
    };
  }

  #pong(): void {
    if (this.connection) this.play.relay.pong(this.connection);
  }

  #take({ slot, origin, model }: AskCommand): void {
    const { clock, tally } = this.play;
    const client = this.clientOf(origin);
    this.sent++;
    tally.sent(client, this);
    client.endWait();
    const run: Run = { slot, client, job: undefined, stopTimer: undefined };
    this.#runs.set(slot, run);
    if (this.#faults.refuse > 0) {
      this.recovery.refused();
      run.stopTimer = clock.after(this.group.pingMs, () => this.#fail(run, REFUSED));
      return;
    }
    if (!this.isBroken) this.recovery.worked();
    const { conversation, earlierTokens, inputTokens, outputTokens } = client;
    const begin: Job["begin"] = (firstMs, allMs, isCached) => {
      tally.began(client, isCached);
      this.busyMs += allMs;
      run.stopTimer = clock.after(this.group.pingMs + firstMs, () => this.#first(run, allMs - firstMs));
    };
    run.job = { model, conversation, earlierTokens, inputTokens, outputTokens, begin };
    this.machine.start(run.job);
  }

  #first(run: Run, leftMs: number): void {
    const { relay } = this.play;
    if (!this.connection) return;
    relay.accept(this.connection, run.slot);
    this.#write(run, leftMs);
  }

  /** Sends a part of the answer now, and the end of it after this time. */
  #write(run: Run, leftMs: number): void {
    const { relay, clock } = this.play;
    if (!this.connection) return;
    if (leftMs <= PAUSE_MS_MAX) run.stopTimer = clock.after(leftMs, () => this.#end(run));
    else run.stopTimer = clock.after(PAUSE_MS_MAX, () => this.#write(run, leftMs - PAUSE_MS_MAX));
    relay.delta(this.connection, run.slot, TOKEN);
  }

  #end(run: Run): void {
    if (!this.connection) return;
    if (this.#faults.cut > 0) {
      this.#fail(run, CUT);
      return;
    }
    this.#drop(run.slot);
    this.play.relay.done(this.connection, run.slot, answerWith(run.client));
  }

  #fail(run: Run, error: AppError): void {
    this.failed++;
    this.#drop(run.slot);
    run.client.triedAgents.push(this.id);
    run.client.beginWait(this.play.clock.now());
    if (this.connection) this.play.relay.fail(this.connection, run.slot, error, error === REFUSED);
  }

  #drop(slot: string): void {
    const run = this.#runs.get(slot);
    this.#runs.delete(slot);
    run?.stopTimer?.();
    if (run?.job) this.machine.end(run.job);
  }

  /** Its connection is lost, and with it the asks that it has: some of them go to another agent. */
  #dropAll(): void {
    for (const { slot, client } of [...this.#runs.values()]) {
      this.failed++;
      this.#drop(slot);
      client.beginWait(this.play.clock.now());
    }
  }

  #models(): Model[] {
    const { models, modelsInMemory } = this.group;
    return models.map((id) =>
      modelsInMemory === undefined ? { id } : { id, loaded: this.machine.isLoaded(id) },
    );
  }

  #reportSoon(): void {
    if (this.#isReportDue || this.group.modelsInMemory === undefined) return;
    this.#isReportDue = true;
    this.play.clock.after(REPORT_MS, () => {
      this.#isReportDue = false;
      if (this.connection) this.play.relay.update(this.connection, { models: this.#models() });
    });
  }
}
