import { askExchange, chatExchange } from "../exchanges.ts";
import { continueExchange, makeConversations } from "../memory/conversations.ts";
import { awaitAnswers, ignoreStreams, queueBodies, sendBodies } from "../memory/large-loads.ts";
import { exchangeMany } from "../memory/many-exchanges.ts";
import { memoryRows } from "../memory/memory-use.ts";
import { openFilesMax, residentBytes } from "../process-stats.ts";
import type { Row } from "../rows.ts";
import { type Context, type Scenario, Skipped } from "../scenario.ts";
import { connectAgents, V1_AGENTS, V2_AGENTS } from "../targets.ts";
import { WAITING_FLAGS } from "../waiting.ts";
import type { Target, Workshop } from "../workshop.ts";
import { startWithAgent, untilOffered } from "./bridge.ts";

const STREAMS = 1_000;
const LARGE = 100;
const LARGE_BYTES = 20_000_000;
const CONVERSATIONS = 1_000_000;
const AFFINITY_ENTRIES = 100_000;
const WAITING = 1_000;
const WAITING_BYTES = 100_000;
const ASKS = 200_000;
const QUARTERS = 4;
const ADDRESSES = 4;
const FILES_SPARE = 500;

/** Starts our server with v2 agents of the bench. */
async function withAgents({ workshop }: Context, args: readonly string[] = []): Promise<Target> {
  const target = await workshop.startOurs({ args });
  await connectAgents(workshop, target, V2_AGENTS);
  return target;
}

function startUpstream(workshop: Workshop): Promise<Target> {
  const script = new URL("../processes/upstream.ts", import.meta.url).pathname;
  return workshop.start({ command: [process.execPath, script], endsWithBench: true });
}

/** Starts our server with the agent in its process. */
async function withBuiltIn({ workshop }: Context): Promise<Target> {
  const { port } = await startUpstream(workshop);
  const target = await workshop.startOurs({ args: ["--upstream", `http://127.0.0.1:${port}`] });
  await untilOffered(target);
  return target;
}

/** Starts our server, and the agent as a process of its own. */
async function withSeparate({ workshop }: Context): Promise<Target> {
  return startWithAgent(workshop, await startUpstream(workshop));
}

type Start = (context: Context) => Promise<Target>;

/** Measures a load of many megabytes on a server of its own. */
async function large(
  context: Context,
  scenario: string,
  start: Start,
  load: (target: Target) => Promise<string>,
): Promise<Row[]> {
  const target = await start(context);
  return memoryRows(scenario, target, () => load(target));
}

async function database(context: Context): Promise<Row[]> {
  const { workshop } = context;
  const data = await makeConversations(workshop, CONVERSATIONS);
  const target = await workshop.startOurs({ data });
  await connectAgents(workshop, target, V2_AGENTS);
  return memoryRows("a million conversations, continued 1,000 times", target, async () => {
    await exchangeMany(target, continueExchange(CONVERSATIONS), 1_000);
    for (const path of ["/admin/users", "/admin/usage"]) {
      const headers = { authorization: `Bearer ${target.adminKey}` };
      const response = await fetch(`http://127.0.0.1:${target.port}${path}`, { headers });
      if (!response.ok) throw new Error(`${path} was answered with ${response.status}.`);
    }
    return undefined;
  });
}

async function affinity(context: Context): Promise<Row[]> {
  const target = await withAgents(context);
  return memoryRows("100,000 entries of affinity", target, async () => {
    await exchangeMany(target, chatExchange(), AFFINITY_ENTRIES);
    return undefined;
  });
}

async function crowd({ workshop, idleAgents: count }: Context): Promise<Row[]> {
  if (openFilesMax() < count + FILES_SPARE)
    throw new Skipped(`${count} agents need as many open files, but ulimit -n is ${openFilesMax()}.`);
  const target = await workshop.startOurs({ args: WAITING_FLAGS });
  const agents = await memoryRows(`${count.toLocaleString("en")} idle agents`, target, async () => {
    await connectAgents(workshop, target, { protocol: "v2", count, addresses: ADDRESSES });
    return undefined;
  });
  const waiting = await memoryRows("and 1,000 requests of 100 kB that wait", target, async () => {
    await queueBodies(workshop, target, WAITING, WAITING_BYTES);
    return undefined;
  });
  return [...agents, ...waiting];
}

/** Many asks, with the memory after each quarter. */
async function longRun({ workshop }: Context): Promise<Row[]> {
  const target = await workshop.startOurs();
  await connectAgents(workshop, target, V1_AGENTS);
  const rows: Row[] = [];
  for (let quarter = 1; quarter <= QUARTERS; quarter++) {
    await exchangeMany(target, askExchange(), ASKS / QUARTERS);
    const value = residentBytes(target.pid) / 1e6;
    const asks = ((ASKS / QUARTERS) * quarter).toLocaleString("en");
    rows.push({ scenario: "memory, long run", metric: `server after ${asks} asks`, unit: "MB", value });
  }
  return rows;
}

type Part = (context: Context) => Promise<Row[]>;

const bodies = (target: Target) => sendBodies(target, LARGE, LARGE_BYTES);

/** `MEMORY_PARTS=bodies,crowd` measures only these. */
const PARTS: Record<string, Part> = {
  streams: (context) =>
    large(context, "1,000 streams that nobody reads", withAgents, (target) => ignoreStreams(target, STREAMS)),
  bodies: (context) => large(context, "100 bodies of 20 MB", withAgents, bodies),
  "bodies-built-in": (context) => large(context, "100 bodies of 20 MB, --upstream", withBuiltIn, bodies),
  "bodies-separate": (context) => large(context, "100 bodies of 20 MB, separate agent", withSeparate, bodies),
  answers: (context) =>
    large(context, "100 whole answers of 20 MB", withAgents, (target) =>
      awaitAnswers(target, LARGE, LARGE_BYTES),
    ),
  database,
  affinity,
  crowd,
  "long-run": longRun,
};

export const MEMORY: Scenario = {
  name: "memory",
  about: "resident memory under large bodies and answers, unread streams, a large database, and many asks",
  sets: [],
  async run(context) {
    const only = process.env["MEMORY_PARTS"]?.split(",");
    const rows: Row[] = [];
    for (const [name, part] of Object.entries(PARTS)) {
      if (only && !only.includes(name)) continue;
      context.progress(name);
      rows.push(...(await part(context)));
      await context.workshop.stopTargets();
      await context.workshop.agents.carryOut({ do: "close" });
    }
    return rows;
  },
};
