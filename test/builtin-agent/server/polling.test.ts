import { expect, onTestFinished, test } from "bun:test";
import { PollingConnection } from "../../../src/builtin-agent/server/polling.ts";
import { readServerAddress } from "../../../src/builtin-agent/server/server-address.ts";
import { createLog } from "../../../src/log/log.ts";
import { createFakeClock } from "../../support/clock.ts";
import { until } from "../../support/until.ts";

/** Begins a session with a server that answers every request at once, and acknowledges and sends nothing. */
function connectToIdleServer(head: object) {
  const heads: { received?: number; first?: number }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const [line = ""] = (await request.text()).split("\n");
      if (line === "")
        return new Response(JSON.stringify({ session: "s".repeat(32), received: 0, sent: 0, ...head }));
      heads.push(JSON.parse(line));
      return new Response(JSON.stringify({ received: 0, sent: 0 }));
    },
  });
  const clock = createFakeClock();
  const connection = new PollingConnection({
    server: readServerAddress(`http://127.0.0.1:${server.port}`, {}),
    agentKey: undefined,
    clock,
    log: createLog({ write: () => {} }),
    hello: () => ({ type: "hello", name: "a", version: "1", slots: 1, models: [], endpoints: [] }),
    onFrame: () => {},
    onPiece: () => {},
    onEnd: () => {},
  });
  onTestFinished(() => {
    connection.close();
    clock.advance(60_000);
    return server.stop(true);
  });
  const polls = () => heads.filter(({ received }) => received !== undefined).length;
  return { clock, polls, sendings: () => heads.length - polls() };
}

test("a server that answers at once with nothing is asked again only after a pause", async () => {
  const { clock, polls, sendings } = connectToIdleServer({});
  for (let round = 1; round <= 3; round++) {
    await until(() => polls() === round && sendings() === round);
    // Whatever would be sent without a pause is sent by then.
    await Bun.sleep(20);
    expect([polls(), sendings()]).toEqual([round, round]);
    clock.advance(100);
  }
});

test("a server cannot make the agent wait for its answer for years", async () => {
  const { clock, polls } = connectToIdleServer({ poll_ms: 9_000_000_000_000, absent_ms: 9_000_000_000_000 });
  await until(() => polls() === 1);
  clock.advance(100);
  await until(() => polls() === 2);
});
