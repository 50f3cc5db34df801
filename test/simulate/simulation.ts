import { Relay } from "../../src/relay/relay.ts";
import { createRandom } from "../support/random.ts";
import { LIMITS } from "../support/relay.ts";
import { Callers } from "./callers.ts";
import type { User } from "./client.ts";
import { VirtualClock } from "./clock.ts";
import type { Play } from "./play.ts";
import { PlayedAgent } from "./played-agent.ts";
import type { Pool } from "./pool.ts";
import { Tally } from "./tally.ts";
import { WaitingCheck } from "./waiting.ts";

export interface SimulateOptions {
  /** How many asks there are. */
  asks: number;
  /** The same seed plays the same simulation. */
  seed: number;
}

/** The course of a simulation. */
export interface Simulation extends SimulateOptions {
  pool: Pool;
  /** How long it took by its own clock. */
  virtualMs: number;
  tally: Tally;
  users: readonly User[];
  agents: readonly PlayedAgent[];
  waiting: WaitingCheck;
}

/** Plays the pool against the core, with a clock of its own, until all asks have their outcome. */
export async function simulate(pool: Pool, { asks, seed }: SimulateOptions): Promise<Simulation> {
  const clock = new VirtualClock();
  const random = createRandom(seed);
  const agents = new Map<string, PlayedAgent>();
  const tally: Tally = new Tally(
    () => callers.users.every(({ waiting }) => waiting > 0),
    (client) => waiting.mightGetOwn(client),
  );
  let ids = 0;
  const relay = new Relay({
    ...{ clock, newId: () => `${++ids}`, random: () => random.next() },
    limits: { ...LIMITS, ...defined(pool.limits) },
    observe: { joined: () => {}, left: () => {}, ended: (record) => callers.ended(record) },
  });
  const play: Play = { pool, relay, clock, random, tally };
  const callers = new Callers(play, asks);
  const waiting = new WaitingCheck(play, callers.kinds, agents);
  for (const group of pool.agents)
    for (let n = 1; n <= group.count; n++) {
      const id = group.count === 1 ? group.name : `${group.name}-${n}`;
      agents.set(id, new PlayedAgent(id, group, play, (origin) => callers.clientOf(origin)));
    }
  for (const agent of agents.values()) agent.start();
  callers.start();
  await clock.run(
    () => callers.isDone,
    () => waiting.look(),
  );
  relay.close();
  const virtualMs = clock.now() - clock.startsAt;
  return { pool, asks, seed, virtualMs, tally, users: callers.users, agents: [...agents.values()], waiting };
}

type Defined<Fields> = { [Name in keyof Fields]: Exclude<Fields[Name], undefined> };

function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<Fields>;
}
