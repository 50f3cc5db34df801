import { type BunServer, Exchange } from "../../src/http/exchange.ts";

/** Returns the exchange of a request that has the id `req_1`, no route, and no server. */
export function arrivedExchange(request: Request): Exchange {
  const server = { requestIP: () => null, timeout() {} } as unknown as BunServer;
  const path = new URL(request.url).pathname;
  return new Exchange({ request, server, path, route: undefined, params: {} }, "req_1", {
    enter: () => () => {},
  });
}
