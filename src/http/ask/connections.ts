import { z } from "zod";
import type { Relay } from "../../relay/relay.ts";
import { resource, route } from "../route.ts";
import { namedObject, SAMPLE, text, time } from "../values.ts";

const Connections = namedObject("Connections", {
  connections: z.array(
    z.strictObject({ Ws: z.strictObject({}), Id: text, Heartbeat: time, LastMessageTime: time }),
  ),
});

/** The Go server's value for an agent that was never sent a request. */
const ZERO_TIME = "0001-01-01T00:00:00Z";

const EXAMPLE = { Ws: {}, Id: SAMPLE.agentId, Heartbeat: SAMPLE.time, LastMessageTime: ZERO_TIME };

const ROUTES = {
  listConnections: route("GET /api/connections", {
    access: "caller",
    summary: "List the connected agents, as the reference server does",
    description:
      "In the order of their registration. `Heartbeat` is when the agent registered or last gave a good answer, `LastMessageTime` when it was last sent a request. The zero time means never.",
    answers: {
      200: { description: "The agents.", json: Connections, example: { connections: [EXAMPLE] } },
    },
  }),
};

/** The Go server's list of agents. It needs a key, unlike the Go server's: ids of agents are private. */
export const connectionRoutes = resource("Asks", ROUTES).handledBy(
  ({ relay }: { relay: Pick<Relay, "agents"> }) => ({
    listConnections() {
      const connections = [...relay.agents()].map(({ id, heartbeatAt, sentAt }) => ({
        Ws: {},
        Id: id,
        Heartbeat: new Date(heartbeatAt).toISOString(),
        LastMessageTime: sentAt === undefined ? ZERO_TIME : new Date(sentAt).toISOString(),
      }));
      return { connections };
    },
  }),
);
