import { loadavg } from "node:os";
import { LiveFrame } from "../../../src/http/live/schema.ts";
import { rowsOf } from "../compare.ts";
import { askExchange } from "../exchanges.ts";
import { type Load, measure, type Round } from "../measure.ts";
import type { Row } from "../rows.ts";
import type { Context, Scenario } from "../scenario.ts";
import { addUsers, connectAgents, V1_AGENTS } from "../targets.ts";
import type { Target } from "../workshop.ts";

const CALLERS = 32;
const VIEWS = 3;

interface View {
  /** Returns the number of frames so far. Throws if the view was closed or a frame was wrong. */
  frames(): number;
  close(): void;
}

interface Loaded {
  target: Target;
  load: Load;
}

type Triple = Record<"base" | "value" | "again", Round>;

/** Opens a live view, as the overview of the dashboard does. */
async function openView({ port, adminKey }: Target): Promise<View> {
  const headers = { authorization: adminKey };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/admin/live`, { headers });
  const begun = Promise.withResolvers<void>();
  let frames = 0;
  let fault: Error | undefined;
  const fail = (error: Error) => {
    fault ??= error;
    begun.reject(error);
  };
  socket.onmessage = ({ data }) => {
    const frame = LiveFrame.safeParse(JSON.parse(String(data)));
    if (!frame.success) fail(new Error(`Wrong frame of the live view: ${data}`));
    frames++;
    begun.resolve();
  };
  socket.onclose = ({ code }) => fail(new Error(`The live view was closed with ${code}.`));
  await begun.promise;
  return {
    frames() {
      if (fault) throw fault;
      return frames;
    },
    close() {
      socket.onclose = null;
      socket.close();
    },
  };
}

/** Measures a side with views, between two rounds without any. */
async function roundWithin({ workshop, seconds }: Context, { target, load }: Loaded): Promise<Triple> {
  const processes = { target, agentsPid: workshop.agents.pid };
  const base = await measure(processes, load, seconds);
  const views = await Promise.all(Array.from({ length: VIEWS }, () => openView(target)));
  const value = await measure(processes, load, seconds);
  const frames = views.map((view) => view.frames());
  for (const view of views) view.close();
  // There is one frame each second, and some are late on a busy server.
  if (Math.min(...frames) < seconds / 2) throw new Error(`Too few frames came: ${frames}`);
  return { base, value, again: await measure(processes, load, seconds) };
}

/**
 * Compares rounds of one process, as two processes of the same code differ by more than the views cost. The
 * second round without views shows the noise.
 */
async function run(context: Context): Promise<Row[]> {
  const { workshop, restarts, rounds, warmUpSeconds, progress } = context;
  const triples: Triple[] = [];
  for (let restart = 0; restart < restarts; restart++) {
    progress(`start ${restart + 1} of ${restarts}`);
    const target = await workshop.startOurs();
    await connectAgents(workshop, target, V1_AGENTS);
    const load = { callers: CALLERS, exchange: askExchange(), tokenOf: await addUsers(target) };
    await measure({ target, agentsPid: workshop.agents.pid }, load, warmUpSeconds);
    while (triples.length * restarts < rounds * (restart + 1))
      triples.push(await roundWithin(context, { target, load }));
    await workshop.stopTargets();
  }
  const [machineLoad = Number.NaN] = loadavg();
  return rowsOf(
    { rounds: (side) => triples.map((triple) => triple[side as keyof Triple]), machineLoad },
    {
      scenario: "3 dashboards, compared with none",
      unit: "ask",
      metrics: ["perSecond", "p50Ms", "p99Ms", "cpuMicros"],
      base: "base",
      value: "value",
      same: { of: "base", again: "again" },
    },
  );
}

export const DASHBOARD: Scenario = {
  name: "dashboard",
  about: "POST /api/ask by 32 callers with three open dashboards, compared with none",
  sets: [],
  run,
};
