import type { CloseReason } from "../protocol/close.ts";
import type { Agent } from "./agent.ts";
import type { Hub } from "./hub.ts";
import type { Cancel, Clock } from "./ports.ts";

/** An agent heard within this time takes an ask without being pinged first. */
const FRESH_MS = 5_000;

interface WatchOptions {
  clock: Clock;
  /** An agent is pinged when it was not heard for this long. */
  pingEveryMs: number;
  pongWithinMs: number;
  /** How long an agent's socket may take to drain. */
  drainWithinMs: number;
  hub: Hub;
  /** Called once for an agent that did not answer, or could not be written to. */
  onMissed: (agent: Agent, reason: CloseReason) => void;
}

/**
 * Notices agents that are connected but no longer there. A busy agent of the reference's protocol is not
 * pinged: one of them handles a request on its reading thread and answers nothing while it does.
 */
export class Watch {
  readonly #options: WatchOptions;
  readonly #probes = new Map<Agent, Cancel>();
  #stopRound: Cancel | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Whether an ask may be sent to it without asking first whether it is there. */
  isFresh(agent: Agent): boolean {
    return this.#options.clock.now() - agent.heardAt < FRESH_MS;
  }

  isProbing(agent: Agent): boolean {
    return this.#probes.has(agent);
  }

  /** Pings the agent, unless an earlier ping is still unanswered. */
  probe(agent: Agent): void {
    if (this.#probes.has(agent)) return;
    const { clock, pongWithinMs, onMissed } = this.#options;
    const stop = clock.after(pongWithinMs, () => {
      this.#probes.delete(agent);
      onMissed(agent, "pong_missed");
    });
    this.#probes.set(agent, stop);
    if (agent.transport.send({ kind: "ping" })) return;
    this.forget(agent);
    onMissed(agent, "frames_dropped");
  }

  heard(agent: Agent): void {
    this.#options.hub.heard(agent, this.#options.clock.now());
    this.forget(agent);
  }

  forget(agent: Agent): void {
    this.#probes.get(agent)?.();
    this.#probes.delete(agent);
  }

  /** Looks after idle agents from now on; harmless when it does already. */
  start(): void {
    if (this.#stopRound) return;
    const { clock, pingEveryMs } = this.#options;
    // A tenth of the interval spreads the pings of agents that registered together over several rounds.
    this.#stopRound = clock.after(Math.max(pingEveryMs / 10, 50), () => {
      this.#stopRound = undefined;
      this.start();
      this.#round();
    });
  }

  stop(): void {
    this.#stopRound?.();
    this.#stopRound = undefined;
    for (const agent of [...this.#probes.keys()]) this.forget(agent);
  }

  #round(): void {
    const unheardSince = this.#options.clock.now() - this.#options.pingEveryMs;
    for (const agent of [...this.#options.hub.all()]) {
      const mayBeDeaf = agent.isV1 && agent.inUse.size > 0;
      if (agent.congestedAt !== undefined) this.#checkCongested(agent, agent.congestedAt);
      else if (!mayBeDeaf && agent.heardAt <= unheardSince) this.probe(agent);
    }
  }

  /** It is not pinged: the ping would stand behind the ask that its socket has not taken yet. */
  #checkCongested(agent: Agent, since: number): void {
    const { clock, drainWithinMs, onMissed } = this.#options;
    if (clock.now() - since >= drainWithinMs) onMissed(agent, "frames_dropped");
  }
}
