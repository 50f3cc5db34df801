import { LiveFrame } from "../../../src/http/live/schema.ts";
import { askExchange } from "../exchanges.ts";
import { measurePairs, rowsOf, type Side } from "../pairs.ts";
import type { Scenario } from "../scenario.ts";
import { addUser, connectAgents, V1_AGENTS } from "../targets.ts";
import type { Target, Workshop } from "../workshop.ts";

const CALLERS = 32;
const VIEWS = 3;

interface View {
  /** How many frames have come. Throws when it was closed, or when one was wrong. */
  frames(): number;
  close(): void;
}

/** What an open overview of the dashboard has the server do. */
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
    if (!frame.success) fail(new Error(`a wrong frame of the live view: ${data}`));
    frames++;
    begun.resolve();
  };
  socket.onclose = ({ code }) => fail(new Error(`the live view was closed with ${code}`));
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

async function startSide(workshop: Workshop): Promise<Side> {
  const target = await workshop.startOurs();
  await connectAgents(workshop, target, V1_AGENTS);
  const token = await addUser(target);
  return { target, load: { callers: CALLERS, exchange: askExchange(), tokenOf: () => token } };
}

export const DASHBOARD: Scenario = {
  name: "dashboard",
  about: "POST /api/ask by 32 callers with three open dashboards, compared with none",
  async run(context) {
    const { workshop, rounds, seconds } = context;
    const unseen = await startSide(workshop);
    const seen = await startSide(workshop);
    const views = await Promise.all(Array.from({ length: VIEWS }, () => openView(seen.target)));
    const pairs = await measurePairs(context, unseen, seen);
    const frames = views.map((view) => view.frames());
    for (const view of views) view.close();
    // A frame a second, of which a busy server may be late with some.
    if (Math.min(...frames) < rounds * seconds) throw new Error(`too few frames came: ${frames}`);
    return rowsOf(pairs, {
      scenario: "3 dashboards, compared with none",
      unit: "ask",
      figures: ["perSecond", "p50Ms", "p99Ms", "cpuMicros"],
    });
  },
};
