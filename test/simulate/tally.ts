import type { AskRecord } from "../../src/relay/record.ts";
import type { Client, User } from "./client.ts";
import type { PlayedAgent } from "./played-agent.ts";
import type { UserGroup } from "./pool.ts";
import { Samples } from "./samples.ts";

/** The times of asks that were answered, in milliseconds from their arrival. */
export class Times {
  /** Until they were sent for the last time. */
  readonly wait = new Samples();
  readonly firstByte = new Samples();
  readonly all = new Samples();

  add({ queueMs, firstByteMs, durationMs }: AskRecord): void {
    this.wait.add(queueMs);
    this.firstByte.add(firstByteMs ?? durationMs);
    this.all.add(durationMs);
  }
}

/** Counts what happens in a simulation. */
export class Tally {
  readonly times = new Times();
  readonly timesOf = new Map<UserGroup, Times>();
  readonly outcomes = new Map<string, number>();
  /** The asks of each group that were answered, and had been sent while asks of all users waited. */
  readonly answeredInBacklog = new Map<UserGroup, number>();
  /** Asks that continue a conversation: all, those that another agent got, and those of them without need. */
  readonly turns = { later: 0, cached: 0, moved: 0, movedInVain: 0 };
  tries = 0;

  /** `mightGetOwn` tells whether the client's ask might still get the agent that has its conversation. */
  constructor(
    private readonly isBacklog: () => boolean,
    private readonly mightGetOwn: (client: Client) => boolean,
  ) {}

  /** The client's ask, which waited until now, is sent to the agent. */
  sent(client: Client, agent: PlayedAgent): void {
    this.tries++;
    client.wasSentInBacklog = this.isBacklog();
    if (client.triedAgents.length > 0 || client.turn === 1) return;
    this.turns.later++;
    if (client.lastAgent === undefined || client.lastAgent === agent.id) return;
    this.turns.moved++;
    if (this.mightGetOwn(client)) this.turns.movedInVain++;
  }

  /** The agent begins to work on the client's ask. */
  began(client: Client, isCached: boolean): void {
    if (client.turn > 1 && isCached) this.turns.cached++;
  }

  ended({ user, wasSentInBacklog }: Client, record: AskRecord): void {
    const { group } = user;
    this.outcomes.set(record.outcome, (this.outcomes.get(record.outcome) ?? 0) + 1);
    user.waits.add(record.queueMs);
    if (record.outcome !== "ok") return;
    this.times.add(record);
    this.timesOf.getOrInsertComputed(group, () => new Times()).add(record);
    if (wasSentInBacklog) this.answeredInBacklog.set(group, (this.answeredInBacklog.get(group) ?? 0) + 1);
  }
}

/** Mean waits below this are a matter of chance. */
const MENTIONED_MS = 100;

/** Returns the longest mean wait of a user over the shortest; undefined if nobody waits worth mentioning. */
export function unfairness(users: readonly User[]): number | undefined {
  const means = users.filter(({ waits }) => waits.count > 0).map(({ waits }) => waits.mean);
  const longest = Math.max(...means);
  return means.length < 2 || longest < MENTIONED_MS ? undefined : longest / Math.max(Math.min(...means), 1);
}
