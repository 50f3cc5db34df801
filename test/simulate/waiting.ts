import type { Agent } from "../../src/relay/agent.ts";
import { fastestOf, ratioOf } from "../../src/relay/routing/speed.ts";
import { LIMITS } from "../support/relay.ts";
import type { Client, Kind } from "./client.ts";
import type { Play } from "./play.ts";
import type { PlayedAgent } from "./played-agent.ts";
import type { AgentGroup, UserGroup } from "./pool.ts";

/** An ask that waits although an agent could serve it. */
export interface NeedlessWait {
  atMs: number;
  user: string;
  /** How long it has waited. */
  waitedMs: number;
  /** The agent that could serve it, the one that has its conversation, and those that failed to serve it. */
  agent: string;
  lastAgent: string | undefined;
  triedAgents: readonly string[];
}

/** The most that are kept. */
const EXAMPLES_MAX = 10;

/**
 * An ask may wait though an agent has room that takes this many times as long as another of its priority. The core has a
 * higher limit, but compares only now and then what it has measured.
 */
const SLOW_FROM = 2;
/** The longest that an ask waits for the pong of a better agent, and for a faster one. */
const PONG_WAIT_MS_MAX = 250;
const SLOW_WAIT_MS_MAX = 30_000;

/**
 * Finds asks that wait while a healthy agent that can do them has room. An ask may do so for a while if there is a
 * better agent: the one that has the conversation, one that has the model in memory, one that is much
 * faster, or one of a higher priority that must answer a ping.
 */
export class WaitingCheck {
  count = 0;
  readonly examples: NeedlessWait[] = [];
  readonly #affinityWaitMs: number;

  constructor(
    private readonly play: Play,
    private readonly kinds: readonly Kind[],
    private readonly agents: ReadonlyMap<string, PlayedAgent>,
  ) {
    this.#affinityWaitMs = play.pool.limits.affinityWaitMs ?? LIMITS.affinityWaitMs;
  }

  /** To be called after everything that happens at a moment. */
  look(): void {
    for (const kind of this.kinds)
      if (kind.waiting.size > 0)
        for (const agent of this.agents.values()) if (this.#canServe(agent, kind)) this.#lookAt(kind, agent);
  }

  /** Whether the client's ask might still get the agent that has its conversation. */
  mightGetOwn({ lastAgent, kind, waitsSince }: Client): boolean {
    const agent = lastAgent === undefined ? undefined : this.agents.get(lastAgent);
    if (!agent || waitsSince === undefined || !this.#isConnected(agent)) return false;
    if (this.#canServe(agent, kind)) return true;
    const now = this.play.clock.now();
    return now - waitsSince < this.#affinityWaitMs && agent.connection?.isBlocked(kind.work, now) === false;
  }

  #isConnected({ connection }: PlayedAgent): boolean {
    return connection !== undefined && this.play.relay.isConnected(connection.id);
  }

  /** Whether the agent could be sent an ask of this kind now. */
  #canServe({ connection, group }: PlayedAgent, { work, group: { tags } }: Kind): boolean {
    const now = this.play.clock.now();
    return (
      connection?.hasRoom === true &&
      connection.isFresh(now) &&
      connection.canDo(work) &&
      !connection.isBlocked(work, now) &&
      !connection.circuitFor(work)?.isCoolingAt(now) &&
      hasTags(group, tags)
    );
  }

  #lookAt(kind: Kind, agent: PlayedAgent): void {
    for (const client of kind.waiting) {
      if (client.triedAgents.includes(agent.id) || this.#mayWaitForBetter(client, agent)) continue;
      this.count++;
      if (this.examples.length < EXAMPLES_MAX) this.examples.push(this.#exampleOf(client, agent));
      return;
    }
  }

  #exampleOf({ user, waitsSince = 0, lastAgent, triedAgents }: Client, agent: PlayedAgent): NeedlessWait {
    const { clock } = this.play;
    const atMs = clock.now() - clock.startsAt;
    const waitedMs = clock.now() - waitsSince;
    return { atMs, waitedMs, user: user.id, agent: agent.id, lastAgent, triedAgents: [...triedAgents] };
  }

  #mayWaitForBetter(client: Client, { id, connection }: PlayedAgent): boolean {
    const { kind, lastAgent, waitsSince } = client;
    const { model } = kind.work;
    if (!connection || waitsSince === undefined || model === undefined) return true;
    const waitedMs = this.play.clock.now() - waitsSince;
    const isInTime = waitedMs <= this.#affinityWaitMs;
    if (isInTime && lastAgent !== id && this.#takesWork(lastAgent, kind)) return true;
    if (this.#isOnePinged(kind)) return true;
    if (connection.isLoaded(model) === false) {
      if (connection.inUse.size > 0 || this.#isWaitedFor(connection)) return true;
      if (isInTime && this.#isLoadedSomewhere(kind)) return true;
    }
    return waitedMs <= SLOW_WAIT_MS_MAX && this.#isSlow(connection, kind);
  }

  /** Whether an ask may wait for the agent: not if it is broken or has departed. */
  #takesWork(agentId: string | undefined, { work }: Kind): boolean {
    const agent = agentId === undefined ? undefined : this.agents.get(agentId);
    if (!agent || !this.#isConnected(agent) || !agent.connection?.takesWork) return false;
    return !agent.connection.isBlocked(work, this.play.clock.now());
  }

  /** Whether an agent was pinged just now that may have been a better one. It may have no room by now. */
  #isOnePinged({ work, group: { tags } }: Kind): boolean {
    const since = this.play.clock.now() - PONG_WAIT_MS_MAX;
    for (const { connection, group } of this.agents.values())
      if (connection && connection.pingedAt >= since && connection.canDo(work) && hasTags(group, tags))
        return true;
    return false;
  }

  /** Whether an ask waits for what the agent has in memory. */
  #isWaitedFor(agent: Agent): boolean {
    return this.kinds.some(({ waiting, work: { model = "" } }) => waiting.size > 0 && agent.isLoaded(model));
  }

  /** Whether an agent that takes work has the model in memory. */
  #isLoadedSomewhere({ work: { model = "" }, group: { tags } }: Kind): boolean {
    for (const { connection, group } of this.agents.values())
      if (connection?.takesWork && connection.isLoaded(model) === true && hasTags(group, tags)) return true;
    return false;
  }

  #isSlow(agent: Agent, { work: { model = "" }, group: { tags } }: Kind): boolean {
    const speeds = [...this.agents.values()].map(({ connection, group }) => {
      const isRival = connection?.takesWork && connection.preference.priority === agent.preference.priority;
      return isRival && hasTags(group, tags) ? connection.speedOf(model)?.parts : undefined;
    });
    return ratioOf(agent.speedOf(model)?.parts, fastestOf(speeds)) >= SLOW_FROM;
  }
}

function hasTags({ tags }: AgentGroup, wanted: UserGroup["tags"]): boolean {
  return wanted.every((some) => some.some((tag) => tags.includes(tag)));
}
