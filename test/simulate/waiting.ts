import type { Client, Kind } from "./client.ts";
import type { Play } from "./play.ts";
import type { PlayedAgent } from "./played-agent.ts";

/** An ask that waits although an agent could serve it. */
export interface NeedlessWait {
  atMs: number;
  user: string;
  agent: string;
}

/** The most that are kept. */
const EXAMPLES_MAX = 10;

/** Finds asks that wait while a healthy agent that can do them has room. */
export class WaitingCheck {
  count = 0;
  readonly examples: NeedlessWait[] = [];

  constructor(
    private readonly play: Play,
    private readonly kinds: readonly Kind[],
    private readonly agents: ReadonlyMap<string, PlayedAgent>,
  ) {}

  /** To be called after everything that happens at a moment. */
  look(): void {
    for (const kind of this.kinds)
      if (kind.waiting.size > 0)
        for (const agent of this.agents.values()) if (this.canServe(agent, kind)) this.#lookAt(kind, agent);
  }

  /** Whether the agent could be sent an ask of this kind now. */
  canServe({ connection, group }: PlayedAgent, { work, group: { tags } }: Kind): boolean {
    return (
      connection?.hasRoom === true &&
      connection.isFresh(this.play.clock.now()) &&
      connection.canDo(work) &&
      !connection.isBlocked(work, this.play.clock.now()) &&
      tags.every((some) => some.some((tag) => group.tags.includes(tag)))
    );
  }

  /** Whether the client's ask would do well to wait for its conversation's agent. */
  mayWaitFor(agentId: string | undefined, { kind, waitsSince }: Client): boolean {
    const { clock, relay } = this.play;
    const agent = agentId === undefined ? undefined : this.agents.get(agentId);
    const connection = agent?.connection;
    if (!connection || waitsSince === undefined || !relay.isConnected(connection.id)) return false;
    const { affinityWaitMs } = this.limits;
    const isInTime = clock.now() - waitsSince <= affinityWaitMs;
    return isInTime && !connection.isBlocked(kind.work, clock.now());
  }

  get limits(): { affinityWaitMs: number } {
    return { affinityWaitMs: this.play.pool.limits.affinityWaitMs ?? 1_000 };
  }

  #lookAt(kind: Kind, agent: PlayedAgent): void {
    for (const client of kind.waiting) {
      if (client.triedAgents.includes(agent.id)) continue;
      if (client.lastAgent !== agent.id && this.mayWaitFor(client.lastAgent, client)) continue;
      this.count++;
      const atMs = this.play.clock.now() - this.play.clock.startsAt;
      if (this.examples.length < EXAMPLES_MAX)
        this.examples.push({ atMs, user: client.user.id, agent: agent.id });
      return;
    }
  }
}
