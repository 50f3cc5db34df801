import { contentOf, HELD_MS, idOf } from "./answers.ts";
import { type HttpConnection, openHttpConnection } from "./http-connection.ts";
import { metricOf } from "./server-metrics.ts";
import { addUsers, connectAgents } from "./targets.ts";
import type { Target, Workshop } from "./workshop.ts";

/** The flags with which the server lets many agents in and many requests wait, but not for an agent that left. */
export const WAITING_FLAGS = [
  ...["--queue-max", "100000", "--queue-user-max", "100000", "--queue-wait", "1h"],
  ...["--agents-max", "20000", "--reconnect-grace", "200ms", "--address-requests-max", "100000"],
];

/** The model of the only agent that can do the requests that wait. */
export const BUSY = "busy";
/** The group of that agent. */
export const BUSY_GROUP = "busy";

/** How many connections are opened at a time. */
const OPENING_MAX = 256;
const POLL_MS = 20;
const FILL_MS = 60_000;

/** Connects an agent with one slot, and sends it requests that it does not answer: one runs, the others wait. */
export async function fillQueue(
  workshop: Workshop,
  target: Target,
  count: number,
): Promise<HttpConnection[]> {
  if (count === 0) return [];
  await connectAgents(workshop, target, { protocol: "v2", count: 1, models: [BUSY], group: BUSY_GROUP });
  const tokenOf = await addUsers(target);
  const connections: HttpConnection[] = [];
  const ended: string[] = [];
  for (let caller = 0; caller <= count; caller += OPENING_MAX) {
    const length = Math.min(OPENING_MAX, count + 1 - caller);
    const opened = await Promise.all(Array.from({ length }, () => openHttpConnection(target.port)));
    for (const connection of opened) {
      const index = connections.push(connection);
      // They all end when the server is stopped or the agent leaves, and are wrong to end before.
      const sent = connection.send(requestOf(index, tokenOf(index)), () => {});
      sent.then((status) => ended.push(`status ${status}`)).catch((error) => ended.push(String(error)));
    }
  }
  await untilWaiting(target, count, ended);
  return connections;
}

function requestOf(caller: number, token: string): string {
  const content = contentOf({ id: idOf(caller % 10_000, caller), deltas: 0, pauseMs: HELD_MS });
  const body = JSON.stringify({ model: BUSY, messages: [{ role: "user", content }] });
  return `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Resolves once at least this many requests wait at the server. */
async function untilWaiting(target: Target, count: number, ended: readonly string[]): Promise<void> {
  for (const began = performance.now(); performance.now() - began < FILL_MS; await Bun.sleep(POLL_MS)) {
    if ((await metricOf(target, "chatgpt_api_queue_length")) >= count) return;
    if (ended.length > 0)
      throw new Error(`${ended.length} of ${count} requests ended before they waited: ${ended[0]}`);
  }
  throw new Error(`${count} requests do not wait after ${FILL_MS / 1000} s.`);
}
