import { z } from "zod";
import type { Relay } from "../../relay/relay.ts";
import { resource, route } from "../route.ts";

const text = z.string();
const time = z.iso.datetime({ offset: true });

const Connection = z.strictObject({
  Ws: z.strictObject({}),
  Id: text,
  Heartbeat: time,
  LastMessageTime: time,
});
const Connections = z.strictObject({ connections: z.array(Connection) }).meta({ id: "Connections" });

/** The Go server's value for an agent that was never sent a request. */
const ZERO_TIME = "0001-01-01T00:00:00Z";

const EXAMPLE = {
  Ws: {},
  Id: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
  Heartbeat: "2026-11-23T08:10:14.924Z",
  LastMessageTime: ZERO_TIME,
};

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
