import { LiveFrame } from "../../../src/http/live/schema.ts";
import { compare, oneLoad } from "../compare.ts";
import { askExchange } from "../exchanges.ts";
import type { Context, Scenario } from "../scenario.ts";
import type { Side } from "../sides.ts";
import { addUsers, connectAgents, V1_AGENTS } from "../targets.ts";
import type { Target } from "../workshop.ts";

const CALLERS = 32;
const VIEWS = 3;

interface View {
  /** Returns the number of frames so far. Throws if the view was closed or a frame was wrong. */
  frames(): number;
  close(): void;
}

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

async function startSide({ workshop }: Context): Promise<Side> {
  const target = await workshop.startOurs();
  await connectAgents(workshop, target, V1_AGENTS);
  const tokenOf = await addUsers(target);
  return oneLoad(target, { callers: CALLERS, exchange: askExchange(), tokenOf });
}

async function startSeen(context: Context): Promise<Side> {
  const side = await startSide(context);
  const views = await Promise.all(Array.from({ length: VIEWS }, () => openView(side.target)));
  const end = () => {
    const frames = views.map((view) => view.frames());
    for (const view of views) view.close();
    // There is one frame each second, and some are late on a busy server.
    if (Math.min(...frames) < context.seconds) throw new Error(`Too few frames came: ${frames}`);
  };
  return { ...side, end };
}

export const DASHBOARD: Scenario = {
  name: "dashboard",
  about: "POST /api/ask by 32 callers with three open dashboards, compared with none",
  sets: [],
  run: (context) =>
    compare(
      context,
      { base: () => startSide(context), value: () => startSeen(context) },
      {
        scenario: "3 dashboards, compared with none",
        unit: "ask",
        metrics: ["perSecond", "p50Ms", "p99Ms", "cpuMicros"],
      },
    ),
};
