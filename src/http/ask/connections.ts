import { z } from "zod";
import type { ConnectionRow } from "../../protocol/node/lists.ts";
import type { Relay } from "../../relay/relay.ts";
import type { NodeLists } from "../node-lists.ts";
import { reply } from "../route.ts";
import { namedObject, text, time } from "../values.ts";

/** The list of agents as the Go server returns it. */
export const Connections = namedObject("Connections", {
  connections: z.array(
    z.strictObject({ Ws: z.strictObject({}), Id: text, Heartbeat: time, LastMessageTime: time }),
  ),
});

/** The Go server's value for an agent that was never sent a request. */
export const ZERO_TIME = "0001-01-01T00:00:00Z";

/** Makes the rows of the agents of this server, one by one, in the order of their registration. */
export function* connectionRows(relay: Pick<Relay, "agents">): Generator<ConnectionRow> {
  for (const { id, heartbeatAt, sentAt } of [...relay.agents()])
    yield {
      id,
      heartbeat: new Date(heartbeatAt).toISOString(),
      sent: sentAt === undefined ? null : new Date(sentAt).toISOString(),
    };
}

export function describeConnections(rows: readonly ConnectionRow[]) {
  const connections = rows.map(({ id, heartbeat, sent }) => ({
    ...{ Ws: {}, Id: id, Heartbeat: heartbeat, LastMessageTime: sent ?? ZERO_TIME },
  }));
  return { connections };
}

/** Returns the agents of all nodes. Clients of the Go server know no other field, so a header names missing nodes. */
export async function mergeConnections(own: readonly ConnectionRow[], nodes: Pick<NodeLists, "connections">) {
  const others = await nodes.connections();
  const rows = [own, ...others.nodes.map((node) => node.rows)].flat();
  // An agent that moves while the nodes are asked is listed once.
  const agents = new Map(rows.map((row) => [row.id, row]));
  const missing = others.missing.map(encodeURIComponent).join(", ");
  const headers = missing === "" ? {} : { "x-missing-nodes": missing };
  return reply(200, describeConnections([...agents.values()]), headers);
}
