import { z } from "zod";
import { userIdOf } from "../../principal.ts";
import type { Relay } from "../../relay/relay.ts";
import { PRIORITIES } from "../../relay/routing/priority.ts";
import { ok, resource, route } from "../route.ts";
import { count, namedObject, SAMPLE, text } from "../values.ts";

/** The most that one answer lists. */
const LISTED_MAX = 1_000;

interface QueueDeps {
  relay: Pick<Relay, "waitingAsks">;
}

const WaitingRequest = z.strictObject({
  request_id: text.describe("The `x-request-id` of the request."),
  user_id: text.nullable().describe("Null for the holder of the admin key."),
  model: text.nullable().describe("Null if any model will do."),
  surface: text.describe("The route's name, such as `ask` or `chat/completions`."),
  priority: z.enum(PRIORITIES),
  waited_ms: count,
  before: count.describe("About how many requests have their turn before it."),
});

const Queue = namedObject("Queue", {
  total: count.describe("How many wait. Only the first 1000 are listed."),
  waiting: z.array(WaitingRequest).max(LISTED_MAX),
});

const EXAMPLE = {
  ...{ request_id: SAMPLE.requestId, user_id: SAMPLE.userId, model: SAMPLE.model },
  ...{ surface: "chat/completions", priority: "normal" as const, waited_ms: 2140, before: 3 },
};

const ROUTES = {
  listQueue: route("GET /api/queue", {
    access: "caller",
    summary: "List your requests that wait for an agent",
    description: "The administrator gets those of everyone. The one that has waited longest comes first.",
    answers: ok("The requests.", Queue, { total: 1, waiting: [EXAMPLE] }),
  }),
};

/** The view of the queue for those who wait. */
export const queueRoutes = resource("Asks", ROUTES).handledBy(({ relay }: QueueDeps) => ({
  listQueue({ caller: { principal } }) {
    const asks = relay.waitingAsks(principal.kind === "admin" ? undefined : principal);
    const oldest = [...asks].sort((one, other) => other.waitedMs - one.waitedMs).slice(0, LISTED_MAX);
    const waiting = oldest.map(
      ({ requestId, principal, model, surface, priority, waitedMs, asksBefore }) => ({
        ...{ request_id: requestId, user_id: userIdOf(principal), model: model ?? null, surface, priority },
        ...{ waited_ms: Math.max(0, Math.round(waitedMs)), before: asksBefore() },
      }),
    );
    return { total: asks.length, waiting };
  },
}));
