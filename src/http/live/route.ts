import { isOwnOrigin } from "../../auth/same-origin.ts";
import { AppError } from "../../errors.ts";
import { ok, resource, route } from "../route.ts";
import { SAMPLE } from "../values.ts";
import type { LiveFeed } from "./feed.ts";
import { Overview } from "./schema.ts";

interface LiveDeps {
  live: Pick<LiveFeed, "read" | "upgrade">;
  /** The origin of the server's own pages, if it is known. */
  publicUrl: string | undefined;
}

const EXAMPLE: Overview = {
  version: SAMPLE.version,
  started_at: SAMPLE.time,
  now: "2026-11-23T09:01:45.031Z",
  ready: { status: "ready", reasons: [] },
  agents: { connected: 1, accepting: 1 },
  slots: { total: 4, in_use: 1 },
  queue: { length: 0, oldest_wait_ms: null },
  models: [{ id: SAMPLE.model, agents: 1 }],
  problems: [],
  samples: {
    ...{ from: "2026-11-23T09:01:43.030Z", every_ms: 1000, asks: [1, 0], ok: [0, 1], failed: [0, 0] },
    refused: [0, 2],
    ...{ deltas: [12, 7], queue: [0, 0], running: [1, 0], slots: [4, 4], slots_in_use: [1, 0] },
    ...{ agents: [1, 1], queue_ms: [null, 1], first_byte_ms: [null, 210] },
  },
  asks: [
    {
      request_id: SAMPLE.requestId,
      at: SAMPLE.laterTime,
      user: { user_id: SAMPLE.userId, name: "Ann" },
      agent: { id: SAMPLE.agentId, name: "gpu box" },
      ...{ model: SAMPLE.model, surface: "chat/completions", outcome: "ok", upstream_status: 200 },
      ...{ queue_ms: 1, first_byte_ms: 210, duration_ms: 840, prompt_tokens: 14, completion_tokens: 19 },
      tokens_estimated: false,
    },
  ],
};

const ROUTES = {
  readOverview: route("GET /admin/overview", {
    access: "admin",
    summary: "Read what happens now, and what happened in the last 15 minutes",
    description:
      "`samples` has a list for each number, with one entry for each finished second; a median is null if there was nothing to measure. `asks` lists the requests that finished last: how they ended, but never what was in them.",
    answers: ok("The overview.", Overview, EXAMPLE),
  }),
  watchLive: route("GET /admin/live", {
    access: "admin",
    summary: "Watch the overview live (WebSocket)",
    description:
      'The first frame is `{"type":"overview",…}` with the overview. Then, once a second, comes `{"type":"second",…}` with the present numbers, the `sample` of that second, the `asks` that finished in it, and `models` and `problems` if they changed. The server accepts no frames. It closes the socket with 4401 when the session that opened it ends.',
    answers: { 101: { description: "The socket is open." } },
    errors: ["upgrade_required", "live_full", "draining"],
  }),
};

/** The overview: once, and live. */
export const liveRoutes = resource("Server", ROUTES).handledBy(({ live, publicUrl }: LiveDeps) => ({
  readOverview: () => live.read(),

  watchLive({ exchange: { request, server }, caller: { session } }) {
    // Browsers let a page open a socket to another site, and send its cookies along.
    if (!isOwnOrigin(request.headers, publicUrl))
      throw new AppError("admin_key_wrong", {
        logAs: "session_foreign",
        hint: "Only the server's own pages can open the live view.",
      });
    live.upgrade(request, server, session);
  },
}));
