import { expect, test } from "bun:test";
import { createFailedKeys } from "../../../src/auth/failed-keys.ts";
import { createConcurrencyLimit } from "../../../src/auth/limits/concurrency.ts";
import { type BunServer, Exchange } from "../../../src/http/exchange.ts";
import { AccessControl } from "../../../src/http/middleware/access.ts";
import { createClientAddresses } from "../../../src/http/middleware/client-address.ts";
import { EventStream } from "../../../src/http/middleware/event-stream.ts";
import { createRespond, type RespondDeps, type Serve } from "../../../src/http/middleware/respond.ts";
import { createStrangerShare } from "../../../src/http/middleware/stranger-share.ts";
import { createRouteTable } from "../../../src/http/route-table.ts";
import { createLog } from "../../../src/log/log.ts";
import { ADMIN } from "../../../src/principal.ts";
import { createFakeClock } from "../../support/clock.ts";

/** Responds to requests, on a server that only notes the time limits of its requests. */
function start() {
  const log = createLog({ write: () => {} });
  const requests = createConcurrencyLimit({ addressMax: () => 10 });
  const accessControl = new AccessControl({
    addresses: createClientAddresses(undefined),
    isOwnHost: () => true,
    failedKeys: createFailedKeys({ max: () => 1, elapsedMs: () => 0 }),
    requests,
    strangers: createStrangerShare({ addressMax: 1, allMax: 1, bytesMax: 1 }),
    log,
  });
  const limitsS: number[] = [];
  const streams: EventStream[] = [];
  const respond = createRespond({
    log,
    metrics: { requestAnswered() {} },
    accessControl,
    idleS: 60,
    routes: createRouteTable([]),
  } as unknown as RespondDeps);
  const plain: Serve = () => new Response("done");
  const streamed: Serve = (exchange) => {
    exchange.server.timeout(exchange.request, 0);
    exchange.enter(ADMIN);
    exchange.enter(ADMIN);
    const stream = new EventStream({ clock: createFakeClock(), onGone: () => {} });
    streams.push(stream);
    stream.send("{}");
    return stream.started;
  };
  const server = {
    requestIP: () => null,
    timeout: (_: Request, seconds: number) => limitsS.push(seconds),
  } as unknown as BunServer;
  const post = (path: "/plain" | "/stream") => {
    const headers = { host: "localhost" };
    const request = new Request(`http://localhost${path}`, { method: "POST", headers, body: "x" });
    const exchange = new Exchange(
      { request, server, path, route: undefined, params: {} },
      "req_1",
      accessControl,
    );
    return respond(exchange, path === "/plain" ? plain : streamed);
  };
  return { post, limitsS, requests, streams };
}

test("a connection whose time limit was lifted for an answer gets it back", async () => {
  const { post, limitsS, requests } = start();
  await post("/plain");
  expect([limitsS, requests.count]).toEqual([[0, 60], 0]);
});

test("a stream's connection gets its time limit back right before the stream closes, as later it has no effect", async () => {
  const { post, limitsS, requests, streams } = start();
  const response = await post("/stream");
  expect([limitsS, requests.count]).toEqual([[0, 0], 1]);
  streams[0]?.end();
  expect([limitsS, requests.count]).toEqual([[0, 0, 60], 0]);
  expect(await response.text()).toContain("data: {}");
});

test("a caller who leaves a stream no longer counts as a running request", async () => {
  const { post, requests } = start();
  const response = await post("/stream");
  await response.body?.cancel();
  expect(requests.count).toBe(0);
});
