import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setImmediate, setTimeout } from "node:timers/promises";
import { BEHAVIOURS, errorBody, type Plan } from "./fault-behaviours.ts";
import { embeddingOf, wordsOf } from "./fault-content.ts";
import type { UpstreamRequest } from "./fault-request.ts";
import type { Wire } from "./fault-wire.ts";

/** A response that is being written. Everything rejects once the other side is gone. */
export interface Exchange {
  response: ServerResponse;
  gone: AbortSignal;
  /** Resets the connection from our side. */
  reset(): void;
}

async function write({ response, gone }: Exchange, bytes: string | Uint8Array): Promise<void> {
  gone.throwIfAborted();
  if (!response.write(bytes)) await once(response, "drain", { signal: gone });
}

const wait = (ms: number, { gone }: Exchange) => setTimeout(ms, undefined, { signal: gone });

function openStream({ response }: Exchange): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.flushHeaders();
}

/**
 * Resets the connection, but first gives the other side time to read: bytes that it has not read are lost.
 */
async function cut(exchange: Exchange): Promise<void> {
  await wait(500, exchange);
  exchange.reset();
}

/** Resolves with the text that was sent. */
async function sendPieces(exchange: Exchange, wire: Wire, plan: Plan): Promise<string> {
  await write(exchange, wire.start());
  let sent = "";
  for (const piece of plan.pieces ?? []) {
    if (sent !== "" && plan.betweenMs) await wait(plan.betweenMs, exchange);
    await write(exchange, wire.piece(piece));
    sent += piece;
  }
  return sent;
}

async function stream(exchange: Exchange, wire: Wire, plan: Plan): Promise<void> {
  openStream(exchange);
  if (plan.firstDelayMs) await wait(plan.firstDelayMs, exchange);
  for (const bytes of plan.writes ?? []) {
    await write(exchange, bytes);
    // Sends the next bytes in a segment of their own.
    await setImmediate(undefined, { signal: exchange.gone });
  }
  if (plan.writes) return void exchange.response.end();
  const answer = await sendPieces(exchange, wire, plan);
  if (plan.ending === "stall") return;
  if (plan.ending === "cut") return cut(exchange);
  if (plan.ending === "error") await write(exchange, wire.error());
  if (plan.ending === undefined) await write(exchange, wire.end(answer));
  exchange.response.end();
}

function send(
  { response }: Exchange,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

/** Answers with one body. The faults occur in the middle of it. */
async function answerWhole(exchange: Exchange, wire: Wire, plan: Plan): Promise<void> {
  const { response } = exchange;
  const delayMs = (plan.firstDelayMs ?? 0) + (plan.betweenMs ?? 0);
  if (delayMs > 0) await wait(delayMs, exchange);
  if (plan.ending === "error")
    return send(exchange, 500, errorBody("The model failed", "server_error", "model_failed"));
  const body = wire.whole([...(plan.pieces ?? [])].join(""));
  if (plan.ending === undefined) return send(exchange, 200, body);
  response.writeHead(200, { "content-type": "application/json" });
  await write(exchange, body.slice(0, body.length / 2));
  if (plan.ending === "stall") return;
  if (plan.ending === "early") return void response.end();
  await cut(exchange);
}

/** Does what the plan wants before the answer. Resolves with whether that replaces the answer. */
async function precede(exchange: Exchange, plan: Plan): Promise<boolean> {
  const { instead } = plan;
  if (plan.headDelayMs) await wait(plan.headDelayMs, exchange);
  if (instead === "reset") exchange.reset();
  else if (instead !== undefined && instead !== "silence")
    send(exchange, instead.status, instead.body, instead.headers);
  return instead !== undefined;
}

/** Answers the request in the way that its model stands for. Rejects if the other side leaves meanwhile. */
export async function answerFaulty(
  exchange: Exchange,
  request: UpstreamRequest,
  wireOf: ((request: UpstreamRequest) => Wire) | undefined,
): Promise<void> {
  const plan = BEHAVIOURS[request.model]?.(request);
  if (plan === undefined) {
    const body = errorBody(
      `The model ${request.model} does not exist`,
      "invalid_request_error",
      "model_not_found",
    );
    return send(exchange, 404, body);
  }
  if (await precede(exchange, plan)) return;
  if (wireOf === undefined) return send(exchange, 200, embeddings(request));
  const wire = wireOf(request);
  if (request.stream && !plan.neverStreams) await stream(exchange, wire, plan);
  else await answerWhole(exchange, wire, plan);
}

function embeddings({ model, texts, asBase64 }: UpstreamRequest): string {
  const vectorOf = (text: string) => {
    const numbers = embeddingOf(text);
    return asBase64 ? Buffer.from(Float32Array.from(numbers).buffer).toString("base64") : numbers;
  };
  const tokens = texts.reduce((sum, text) => sum + wordsOf(text.trim()).length, 0);
  return JSON.stringify({
    object: "list",
    model,
    data: texts.map((text, index) => ({ object: "embedding", index, embedding: vectorOf(text) })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}
