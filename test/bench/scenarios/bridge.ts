import { rowsOf } from "../compare.ts";
import { chatExchange, type Exchange, type PeerOptions, streamExchange } from "../exchanges.ts";
import { openHttpConnection } from "../http-connection.ts";
import type { Load } from "../measure.ts";
import { findPeers, type Peer } from "../peers.ts";
import type { Row } from "../rows.ts";
import type { Context, Scenario } from "../scenario.ts";
import { AGAIN, type Measured, measureSides, type Side, type Start } from "../sides.ts";
import { quantile, spreadOf } from "../statistics.ts";
import { createTally } from "../tally.ts";
import { addUsers, anyToken } from "../targets.ts";
import type { Target, Workshop } from "../workshop.ts";

const DELTAS = 20;
/** More slots than callers, so that nothing waits. */
const SLOTS = ["--slots", "64"];

/** Those of 32 callers warm up those of one. */
const LOADS = {
  "whole, 32 callers": { callers: 32, isStreamed: false, warmUpRequests: 20_000 },
  "whole, 1 caller": { callers: 1, isStreamed: false, warmUpRequests: 0 },
  "streamed, 32 callers": { callers: 32, isStreamed: true, warmUpRequests: 5_000 },
  "streamed, 1 caller": { callers: 1, isStreamed: true, warmUpRequests: 0 },
} as const;

type LoadName = keyof typeof LOADS;

function loadsOf(tokenOf: (caller: number) => string, peer: PeerOptions = {}): Record<string, Load> {
  const entries = Object.entries(LOADS).map(([name, { callers, isStreamed, warmUpRequests }]) => {
    const exchange = isStreamed
      ? streamExchange({ deltas: DELTAS, unit: "stream", ...peer })
      : chatExchange(peer);
    return [name, { callers, exchange, tokenOf, warmUpRequests }] as const;
  });
  return Object.fromEntries(entries);
}

/** Starts our server with the agent in its process. */
async function startBuiltIn(workshop: Workshop, upstream: Target): Promise<Side> {
  const url = `http://127.0.0.1:${upstream.port}`;
  const target = await workshop.startOurs({ args: ["--upstream", url, ...SLOTS] });
  await untilOffered(target);
  return { target, loads: loadsOf(await addUsers(target)), answeringPid: upstream.pid };
}

async function startSeparate(workshop: Workshop, upstream: Target): Promise<Side> {
  const target = await startWithAgent(workshop, upstream, SLOTS);
  return { target, loads: loadsOf(await addUsers(target)), answeringPid: upstream.pid };
}

/** Starts our server, and its agent, with these flags, as a process of its own. */
export async function startWithAgent(
  workshop: Workshop,
  upstream: Target,
  flags: readonly string[] = [],
): Promise<Target> {
  const server = await workshop.startOurs();
  const [own, model] = [`http://127.0.0.1:${server.port}`, `http://127.0.0.1:${upstream.port}`];
  const command = [workshop.executable, "agent", own, "--upstream", model, ...flags];
  // It listens on no port.
  const agent = await workshop.start({ command, port: 0 });
  await untilOffered(server);
  return { ...server, helpers: { agent: agent.pid } };
}

/** Resolves once the server offers the upstream's model. */
export async function untilOffered({ port, adminKey }: Target): Promise<void> {
  const headers = { authorization: `Bearer ${adminKey}` };
  for (let attempt = 0; attempt < 500; attempt++) {
    const response = await fetch(`http://127.0.0.1:${port}/v1/models`, { headers });
    const { data } = (await response.json()) as { data?: unknown[] };
    if ((data?.length ?? 0) > 0) return;
    await Bun.sleep(20);
  }
  throw new Error("The built-in agent did not connect.");
}

function startsOf(context: Context, peers: readonly Peer[]): Record<string, Start> {
  const { workshop } = context;
  let upstream: Target | undefined;
  const current = () => {
    if (!upstream) throw new Error("The upstream has not started.");
    return upstream;
  };
  const script = new URL("../processes/upstream.ts", import.meta.url).pathname;
  const direct: Start = async () => {
    upstream = await workshop.start({ command: [process.execPath, script], endsWithBench: true });
    return { target: upstream, loads: loadsOf(anyToken) };
  };
  const others = peers.map((peer): [string, Start] => [
    peer.name,
    async () => {
      const target = await peer.start(current());
      const options = { headers: peer.headersFor(current()), isRewritten: peer.isRewriting };
      const loads = loadsOf(anyToken, options);
      return { target, loads: await working(target, loads), answeringPid: current().pid };
    },
  ]);
  const builtIn = () => startBuiltIn(workshop, current());
  return {
    direct,
    ...Object.fromEntries(others),
    "built-in": builtIn,
    separate: () => startSeparate(workshop, current()),
    [AGAIN]: builtIn,
  };
}

/** Returns the loads that the target can do, each of which is tried once. */
async function working(target: Target, loads: Record<string, Load>): Promise<Record<string, Load>> {
  const all = Object.entries(loads);
  const done = await Promise.all(all.map(([, { exchange }], index) => isDone(target, exchange, index)));
  return Object.fromEntries(all.filter((_, index) => done[index]));
}

async function isDone({ port }: Target, exchange: Exchange, index: number): Promise<boolean> {
  const connection = await openHttpConnection(port);
  try {
    await exchange({ connection, token: anyToken(), caller: index, exchange: 0 }, createTally);
    return true;
  } catch {
    return false;
  } finally {
    connection.close();
  }
}

/** Returns the names of each side that is compared, after the one that it is compared with. */
function pairsOf(peers: readonly string[]): [base: string, value: string][] {
  return [
    ...peers.map((peer): [string, string] => ["direct", peer]),
    ...["built-in", "separate"].flatMap((ours) =>
      ["direct", ...peers].map((base): [string, string] => [base, ours]),
    ),
  ];
}

const SAME = { of: "built-in", again: AGAIN };

function tableOf(measured: Measured, load: LoadName, names: readonly string[]): Row[] {
  const { callers, isStreamed } = LOADS[load];
  const peers = names.filter((peer) => measured.rounds(peer, load).length > 0);
  const unit = isStreamed ? "stream" : "ask";
  const rows = pairsOf(peers).flatMap(([base, value]) =>
    rowsOf(measured, {
      scenario: `bridge, ${load}: ${value} / ${base}`,
      ...{ unit, base, value, load, same: SAME },
      metrics: [
        callers === 1 ? "p50Ms" : "perSecond",
        ...(base === "direct" ? (["cpuMicros"] as const) : []),
      ],
      goals: goalsOf(load, base, value),
    }),
  );
  return [...rows, ...addedRows(measured, load, peers), ...agentRows(measured, load, unit)];
}

function goalsOf(load: LoadName, base: string, value: string) {
  if (value !== "built-in") return {};
  if (load === "whole, 32 callers" && base === "Portkey")
    return { perSecond: { of: "ratio", atLeast: 8 } } as const;
  if (load === "whole, 32 callers" && base === "nginx")
    return { perSecond: { of: "ratio", atLeast: 0.35 } } as const;
  if (load === "streamed, 32 callers" && base === "nginx")
    return { perSecond: { of: "ratio", atLeast: 0.6 } } as const;
  return {};
}

/** Returns how much longer an answer takes than without the program between, compared with nginx. */
function addedRows(measured: Measured, load: LoadName, peers: readonly string[]): Row[] {
  if (LOADS[load].callers !== 1 || !peers.includes("nginx")) return [];
  const direct = measured.rounds("direct", load);
  const added = (side: string) =>
    measured.rounds(side, load).map(({ p50Ms }, index) => p50Ms - (direct[index]?.p50Ms ?? Number.NaN));
  const base = added("nginx");
  const ratio = (from: readonly number[], to: string) =>
    spreadOf(added(to).map((ms, index) => ms / (from[index] ?? Number.NaN)));
  const common = { same: ratio(added(SAME.of), SAME.again), machineLoad: measured.machineLoad };
  const sides = [...peers.filter((peer) => peer !== "nginx"), "built-in", "separate"];
  return sides.map((side): Row => {
    const isGoal = side === "built-in" && load === "whole, 1 caller";
    return {
      ...{ scenario: `bridge, ${load}: ${side} / nginx`, metric: "added latency p50", unit: "ms" },
      ...{ base: quantile(base, 0.5), value: quantile(added(side), 0.5), ratio: ratio(base, side) },
      ...common,
      ...(isGoal ? { goal: { of: "ratio", atMost: 4 } } : {}),
    };
  });
}

function agentRows(measured: Measured, load: LoadName, unit: string): Row[] {
  const micros = measured
    .rounds("separate", load)
    .map(({ helperMicros }) => helperMicros["agent"] ?? Number.NaN);
  const spread = spreadOf(micros);
  return [
    {
      scenario: `bridge, ${load}: separate`,
      metric: "CPU of the agent's process",
      unit: `µs/${unit}`,
      ...{ value: spread.median, spread, machineLoad: measured.machineLoad },
    },
  ];
}

export const BRIDGE: Scenario = {
  name: "bridge",
  about:
    "chat completions through our own agent to an upstream, beside nginx, Portkey's gateway and no gateway",
  sets: ["quick", "goals"],
  async run(context) {
    const peers = await findPeers(context, (line) => process.stderr.write(`${line}\n`));
    const names = peers.map(({ name }) => name);
    const measured = await measureSides(context, startsOf(context, peers));
    return (Object.keys(LOADS) as LoadName[]).flatMap((load) => tableOf(measured, load, names));
  },
};
