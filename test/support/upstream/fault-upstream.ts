import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { announce } from "./announce.ts";
import { answerFaulty, type Exchange } from "./fault-answer.ts";
import { BEHAVIOURS, errorBody, forgetFailures } from "./fault-behaviours.ts";
import { readRequest } from "./fault-request.ts";
import { chatWire, responsesWire } from "./fault-wire.ts";

/**
 * A program: an OpenAI-compatible upstream whose models are faults (`BEHAVIOURS`), with `chat/completions`,
 * `responses` and `embeddings`. `GET /open` returns the counts of requests, `POST /reset` resets them.
 */
const WIRES = {
  "/v1/chat/completions": chatWire,
  "/v1/responses": responsesWire,
  "/v1/embeddings": undefined,
};
const counts = { open: 0, started: 0, aborted: 0 };

function json(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "application/json" }).end(body);
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Counts the request until its response has ended, and notes which side ended it. */
function beginExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  const ended = new AbortController();
  let ours = false;
  counts.open++;
  counts.started++;
  // Every end of a connection emits "close".
  for (const side of [request, response]) side.on("error", () => {});
  response.once("close", () => {
    counts.open--;
    if (!ours && !response.writableFinished) counts.aborted++;
    ended.abort();
  });
  const reset = () => {
    ours = true;
    request.socket.resetAndDestroy();
  };
  return { response, gone: ended.signal, reset };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  path: keyof typeof WIRES,
): Promise<void> {
  const exchange = beginExchange(request, response);
  request.socket.setNoDelay(true);
  try {
    const text = await read(request);
    let asked: ReturnType<typeof readRequest>;
    try {
      asked = readRequest(text);
    } catch (error) {
      return json(response, 400, errorBody(`Not a request: ${error}`, "invalid_request_error"));
    }
    await answerFaulty(exchange, asked, WIRES[path]);
  } catch (error) {
    if (!exchange.gone.aborted && !response.destroyed) throw error;
  }
}

const isWire = (path: string): path is keyof typeof WIRES => path in WIRES;

async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? "";
  const at = `${request.method} ${path}`;
  if (at === "GET /open") return json(response, 200, JSON.stringify(counts));
  if (at === "POST /reset") {
    counts.started = counts.open;
    counts.aborted = 0;
    forgetFailures();
    return json(response, 200, "{}");
  }
  if (at === "GET /v1/models") {
    const models = Object.keys(BEHAVIOURS).map((id) => ({
      id,
      object: "model",
      created: 0,
      owned_by: "faults",
    }));
    return json(response, 200, JSON.stringify({ object: "list", data: models }));
  }
  if (request.method === "POST" && isWire(path)) return answer(request, response, path);
  json(response, 404, errorBody("No such route", "invalid_request_error"));
}

const server = createServer((request, response) => void route(request, response));
server.on("connection", (socket: Socket) => socket.on("error", () => {}));
server.listen(Number(process.env["PORT"] ?? 0), "127.0.0.1", () =>
  announce((server.address() as AddressInfo).port),
);
