import { z } from "zod";
import { userIdOf, userPrincipal } from "../../principal.ts";
import type { WaitingRow } from "../../protocol/node/lists.ts";
import type { Relay } from "../../relay/relay.ts";
import { PRIORITIES } from "../../relay/routing/priority.ts";
import type { NodeLists } from "../node-lists.ts";
import { ok, resource, route } from "../route.ts";
import { count, namedObject, SAMPLE, text } from "../values.ts";

/** The most that one answer lists. */
const LISTED_MAX = 1_000;

interface QueueDeps {
  relay: Pick<Relay, "waitingAsks">;
  /** The lists of the other nodes of a cluster; undefined for a single server. */
  nodes?: Pick<NodeLists, "waiting"> | undefined;
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
  missing_nodes: z
    .array(text)
    .optional()
    .describe("The names of the nodes of a cluster that did not send all of their requests in time."),
});

const EXAMPLE = {
  ...{ request_id: SAMPLE.requestId, user_id: SAMPLE.userId, model: SAMPLE.model },
  ...{ surface: "chat/completions", priority: "normal" as const, waited_ms: 2140, before: 3 },
};

const ROUTES = {
  listQueue: route("GET /api/queue", {
    access: "caller",
    summary: "List your requests that wait for an agent",
    description:
      "The administrator gets those of everyone. The one that has waited longest comes first. In a cluster the list has the requests at all nodes.",
    answers: ok("The requests.", Queue, { total: 1, waiting: [EXAMPLE] }),
  }),
};

/** The view of the queue for those who wait. */
export const queueRoutes = resource("Asks", ROUTES).handledBy(({ relay, nodes }: QueueDeps) => ({
  listQueue({ caller: { principal } }) {
    const user = userIdOf(principal) ?? undefined;
    const own = waitingRows(relay, user);
    return nodes ? mergeQueues(own, nodes, user) : { total: own.total, waiting: own.rows };
  },
}));

/**
 * Returns the requests that wait at this server, those that have waited longest first, and how many there are. With
 * `user`, they are those of the user.
 */
export function waitingRows(relay: Pick<Relay, "waitingAsks">, user?: string): Waiting {
  const asks = relay.waitingAsks(user === undefined ? undefined : userPrincipal(user));
  const rows = oldest(asks, ({ waitedMs }) => waitedMs).map(
    ({ requestId, principal, model, surface, priority, waitedMs, asksBefore }) => ({
      ...{ request_id: requestId, user_id: userIdOf(principal), model: model ?? null, surface, priority },
      ...{ waited_ms: Math.max(0, Math.round(waitedMs)), before: asksBefore() },
    }),
  );
  return { rows, total: asks.length };
}

/** Returns the requests that wait at all nodes, and have waited longest. */
async function mergeQueues(own: Waiting, nodes: Pick<NodeLists, "waiting">, user: string | undefined) {
  const others = await nodes.waiting(user);
  const all = [own, ...others.nodes];
  const waiting = oldest(
    all.flatMap(({ rows }) => rows),
    ({ waited_ms }) => waited_ms,
  );
  const total = all.reduce((sum, node) => sum + node.total, 0);
  return { total, waiting, missing_nodes: [...others.missing] };
}

interface Waiting {
  rows: readonly WaitingRow[];
  total: number;
}

function oldest<Row>(rows: readonly Row[], waitedMsOf: (row: Row) => number): Row[] {
  return rows.toSorted((one, other) => waitedMsOf(other) - waitedMsOf(one)).slice(0, LISTED_MAX);
}
