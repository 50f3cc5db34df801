import { type Cancel, whenDue } from "../clock.ts";
import { travelMs } from "../protocol/agent-v2.ts";
import type { CloseReason } from "../protocol/close.ts";
import type { Agent } from "./agent.ts";
import type { Hub } from "./hub.ts";
import type { RelayOptions } from "./options.ts";

/** The most that is taken to be on its way to an agent: in the buffers of the system, of proxies and of tunnels. */
const UNDERWAY_BYTES_MAX = 16 * 1024 * 1024;

/** A socket that takes nothing for this long has no reader. */
const STALLED_MS = 120_000;

/**
 * Notices agents that are connected but no longer there. A busy v1 agent is not pinged: one of the existing
 * v1 agents handles a request on its reading thread, and answers nothing while it does. A v2 agent is pinged
 * whatever it sends, as it takes a server that is silent for lost.
 */
export class Watch {
  /** The time limits of the pings that are unanswered. */
  readonly #pings = new Map<Agent, Cancel>();
  #stopRound: Cancel | undefined;

  /** `onMissed` is called once for an agent that did not answer a ping, or could not be written to. */
  constructor(
    private readonly options: RelayOptions,
    private readonly hub: Hub,
    private readonly onMissed: (agent: Agent, reason: CloseReason) => void,
  ) {}

  awaitsPong(agent: Agent): boolean {
    return this.#pings.has(agent);
  }

  /** Whether the agent was not pinged yet, or less than `ms` ago. */
  mayAnswer(agent: Agent, ms: number): boolean {
    return !this.awaitsPong(agent) || this.options.clock.now() - agent.pingedAt < ms;
  }

  /** Pings the agent, unless an earlier ping is still unanswered. */
  ping(agent: Agent): void {
    if (this.#pings.has(agent)) return;
    agent.pingedAt = this.options.clock.now();
    this.#awaitPong(agent);
    if (agent.transport.send({ kind: "ping" })) return;
    this.forget(agent);
    this.onMissed(agent, "frames_dropped");
  }

  /** Pings an agent that was not heard lately, so that it may be chosen before an ask has to wait for it. */
  refresh(agent: Agent): void {
    if (agent.congestedAt === undefined && !agent.isFresh(this.options.clock.now())) this.ping(agent);
  }

  #awaitPong(agent: Agent): void {
    const onMissed = () => {
      this.#pings.delete(agent);
      this.onMissed(agent, "pong_missed");
    };
    this.#pings.set(
      agent,
      whenDue(this.options.clock, () => this.#pongDueAt(agent), onMissed),
    );
  }

  /**
   * Returns when the pong is missed. The ping may be queued behind a large ask, and the pong behind a large
   * answer, so the agent has time as long as anything moves, in either direction.
   */
  #pongDueAt(agent: Agent): number {
    const underway = agent.noteTaken(this.options.clock.now());
    const waitMs = this.options.limits.pongWithinMs + travelMs(Math.min(underway, UNDERWAY_BYTES_MAX));
    return Math.max(agent.pingedAt, movedAt(agent)) + waitMs;
  }

  /** Notes that the agent announced a frame of about this many bytes. */
  announced(agent: Agent, bytes: number): void {
    const { clock, limits } = this.options;
    agent.arrivingUntil = clock.now() + travelMs(Math.min(bytes, limits.frameBytesMax));
  }

  /** Notes that the agent answered a ping, or sent an answer. */
  heard(agent: Agent, now: number): void {
    this.hub.heard(agent, now);
    this.forget(agent);
  }

  forget(agent: Agent): void {
    const stop = this.#pings.get(agent);
    if (!stop) return;
    stop();
    this.#pings.delete(agent);
  }

  /** Looks after the agents from now on; harmless when it does so already. */
  start(): void {
    if (this.#stopRound) return;
    // A tenth of the interval spreads the pings of agents that registered together over several rounds.
    this.#stopRound = this.options.clock.after(Math.max(this.options.limits.pingEveryMs / 10, 50), () => {
      this.#stopRound = undefined;
      this.start();
      this.#round();
    });
  }

  stop(): void {
    this.#stopRound?.();
    this.#stopRound = undefined;
    for (const agent of [...this.#pings.keys()]) this.forget(agent);
  }

  #round(): void {
    const { clock, limits } = this.options;
    const now = clock.now();
    const stalledMs = Math.min(limits.firstByteMs, STALLED_MS);
    for (const agent of [...this.hub.agents.values()]) {
      // A congested agent is not pinged: the ping would wait behind the ask that its socket has not taken.
      if (agent.congestedAt === undefined) {
        if (isDue(agent, now - limits.pingEveryMs)) this.ping(agent);
        continue;
      }
      agent.noteTaken(now);
      if (now - Math.max(agent.congestedAt, movedAt(agent)) >= stalledMs)
        this.onMissed(agent, "frames_dropped");
    }
  }
}

/** Returns when anything last moved on the agent's socket, or may still be moving. */
function movedAt({ lastHeardAt, tookAt, arrivingUntil }: Agent): number {
  return Math.max(lastHeardAt, tookAt, arrivingUntil);
}

function isDue(agent: Agent, dueSince: number): boolean {
  if (!agent.isV1) return agent.pingedAt <= dueSince;
  return agent.inUse.size === 0 && (agent.mustAnswerPing || agent.lastHeardAt <= dueSince);
}
