import { onTestFinished } from "bun:test";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import type { FuzzCase } from "./case.ts";

/** An upstream that has one model, and answers each request with the response of the case that it names. */
export interface FuzzUpstream {
  url: string;
  /** The open cases by their numbers. A request names its number as `case 7`. */
  cases: Map<number, FuzzCase>;
}

export async function startFuzzUpstream(): Promise<FuzzUpstream> {
  const cases: FuzzUpstream["cases"] = new Map();
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ object: "list", data: [{ id: "m" }] }));
      return;
    }
    const found = cases.get(Number(/\bcase (\d+)/.exec(body)?.[1]));
    await answer(response, found).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cases };
}

async function answer(response: ServerResponse, found: FuzzCase | undefined): Promise<void> {
  if (!found) {
    response.writeHead(404);
    response.end();
    return;
  }
  const { status, headers, pieces, isReset } = found.response;
  response.writeHead(status, { ...headers, ...(status === 301 && { location: "http://127.0.0.1:9/" }) });
  for (const piece of pieces) {
    response.write(Buffer.from(piece, "base64"));
    await setImmediate();
  }
  if (isReset) response.destroy();
  else response.end();
}
