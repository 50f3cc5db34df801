import { readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { PRIORITIES } from "../../src/relay/routing/priority.ts";

const POOLS = join(import.meta.dir, "pools");

const name = z.string().regex(/^[\w.:-]{1,40}$/, "must have letters, digits and .:_- only");
const ms = z.number().nonnegative().max(1e9);
const positive = z.number().positive().max(1e9);
const count = z.int().min(1).max(1000);

/** A time in which an agent does not work as it should. */
const Fault = z
  .strictObject({
    /**
     * `refuse`: each ask fails at once with the status 503. `slow`: an ask that begins takes `factor` times as
     * long. `cut`: streams break before their end. `away`: the agent is not connected.
     */
    kind: z.enum(["refuse", "slow", "cut", "away"]),
    factor: z.number().positive().default(10),
    /** When it may begin, and when it is over for good, from the start of the simulation. */
    fromMs: ms.default(0),
    untilMs: ms.optional(),
    /** It comes and goes: after this time without it, on average, it lasts for `forMs`, on average. */
    everyMs: positive.optional(),
    forMs: positive.optional(),
  })
  .refine(({ everyMs, forMs }) => (everyMs === undefined) === (forMs === undefined), {
    message: "everyMs and forMs must be given together",
  });

const AgentGroup = z.strictObject({
  /** With a `count`, each agent has a number after the name. */
  name,
  count: count.default(1),
  slots: count.default(1),
  models: z.array(name).min(1),
  priority: z.int().default(0),
  weight: positive.default(1),
  tags: z.array(name).default([]),
  /** The user whose asks come first on it, such as `guests-2`. */
  owner: name.optional(),
  /** The time to an agent and back. */
  pingMs: ms.default(4),
  /** The time to the first token, without that for reading the request, and what it reads and writes. */
  firstMs: ms.default(50),
  inputTokensPerSecond: positive,
  outputTokensPerSecond: positive,
  /** How many models it has in memory at a time; all of them if left out. Else it tells which these are. */
  modelsInMemory: count.optional(),
  /** How long it takes to load a model. */
  loadMs: ms.default(0),
  /** How many conversations it has in its prompt cache. */
  cachedConversations: z.int().nonnegative().max(100_000).default(4),
  faults: z.array(Fault).default([]),
});

const UserGroup = z
  .strictObject({
    name,
    count: count.default(1),
    /** Each ask is for one of them, and each conversation stays with its model. */
    models: z.array(name).min(1),
    fallbacks: z.array(name).optional(),
    priority: z.enum(PRIORITIES).default("normal"),
    /** The agents' tags, as in `AskRequest.tags`. */
    tags: z.array(z.array(name).min(1)).default([]),
    /** How many conversations each user begins in a minute, at random times. */
    conversationsPerMinute: positive.optional(),
    /** Or how many conversations each user always has. */
    conversations: count.optional(),
    /** The mean time from an answer to the next turn. */
    thinkMs: ms.default(0),
    /** The mean number of turns of a conversation. */
    turns: z.number().min(1).max(1000).default(1),
    /** The mean number of tokens that a turn adds, of the question and of the answer. */
    inputTokens: positive.default(200),
    outputTokens: positive.default(200),
  })
  .refine((group) => (group.conversationsPerMinute === undefined) !== (group.conversations === undefined), {
    message: "give either conversationsPerMinute or conversations",
  });

const Limits = z.strictObject({
  queueMax: z.int().min(1).max(1_000_000),
  queueUserMax: z.int().min(1).max(1_000_000),
  queueWaitMs: ms,
  reconnectGraceMs: ms,
  firstByteMs: ms,
  agentFailuresMax: z.int().nonnegative(),
  affinityWaitMs: ms,
});

/** A pool to be simulated: the agents of a server, and its users. */
export const Pool = z.strictObject({
  /** One sentence for the head of the table. */
  about: z.string().max(200),
  agents: z.array(AgentGroup).min(1),
  users: z.array(UserGroup).min(1),
  /** The settings of the server that differ from their defaults. */
  limits: Limits.partial().default({}),
});
export type Pool = z.output<typeof Pool>;
export type PoolInput = z.input<typeof Pool>;
export type AgentGroup = z.output<typeof AgentGroup>;
export type UserGroup = z.output<typeof UserGroup>;
export type Fault = z.output<typeof Fault>;

/** Returns the names of the pools that come with the tool. */
export function poolNames(): string[] {
  const files = readdirSync(POOLS).filter((file) => file.endsWith(".json"));
  return files.map((file) => file.slice(0, -".json".length)).sort();
}

/** Reads a pool that comes with the tool, or one from a file. Throws a `ZodError` if it is not valid. */
export async function readPool(nameOrFile: string): Promise<Pool> {
  const isNamed = poolNames().includes(nameOrFile);
  const file = isNamed ? join(POOLS, `${nameOrFile}.json`) : nameOrFile;
  return Pool.parse(await Bun.file(file).json());
}
