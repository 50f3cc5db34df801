/*
 * The process of the agents, of both protocols, which answer as the callers wish. It carries out the commands of the
 * bench, and outlives it only to end what the bench left running.
 */
import { rmSync } from "node:fs";
import type { AgentsCommand, AgentsReply } from "./agents-protocol.ts";
import { completionOf, deltaOf, MODEL, STREAM_END, type Wish, wishOf } from "./answers.ts";

type Connect = Extract<AgentsCommand, { do: "connect" }>;

/** The maximum number of agents that connect at the same time. */
const CONNECTING_MAX = 128;

const sockets = new Set<WebSocket>();

interface Stream {
  socket: WebSocket;
  ask: string;
  wish: Required<Wish>;
  tail: string;
  sent: number;
}

/** Streams without pauses: each sends a delta in every turn of the event loop, so that they interleave. */
const busy = new Set<Stream>();
let isPumping = false;

function pump(): void {
  for (const stream of busy) if (!advance(stream)) busy.delete(stream);
  isPumping = busy.size > 0;
  if (isPumping) setImmediate(pump);
}

/** Sends the next delta or the end. Returns false after the end. */
function advance(stream: Stream): boolean {
  const { socket, ask, wish, tail } = stream;
  if (socket.readyState !== WebSocket.OPEN) return false;
  const isEnd = stream.sent >= wish.deltas;
  const data = isEnd ? STREAM_END : deltaOf(wish.id, stream.sent++, tail);
  socket.send(JSON.stringify({ type: "delta", ask, data }));
  if (isEnd) socket.send(JSON.stringify({ type: "done", ask, status: 200 }));
  return !isEnd;
}

function startStream(stream: Stream): void {
  if (stream.wish.pauseMs === 0) {
    busy.add(stream);
    if (!isPumping) pump();
    return;
  }
  advance(stream);
  const timer = setInterval(() => {
    if (!advance(stream)) clearInterval(timer);
  }, stream.wish.pauseMs);
}

function after(pauseMs: number, run: () => void): void {
  if (pauseMs === 0) run();
  else setTimeout(run, pauseMs);
}

function answerV2(socket: WebSocket, text: string): void {
  const frame = JSON.parse(text);
  if (frame.type === "ping") socket.send('{"type":"pong"}');
  if (frame.type !== "ask") return;
  const { ask, stream, body } = frame;
  const { messages, stream_options } = JSON.parse(body);
  const wish = wishOf(messages.at(-1).content);
  socket.send(JSON.stringify({ type: "accept", ask }));
  if (stream) {
    const tail = wish.usage && stream_options?.include_usage ? ',"usage":null' : "";
    startStream({ socket, ask, wish, tail, sent: 0 });
    return;
  }
  const done = { type: "done", ask, status: 200, body: completionOf(wish.id) };
  after(wish.pauseMs, () => socket.send(JSON.stringify(done)));
}

function answerV1(socket: WebSocket, text: string): void {
  const { id, message, data } = JSON.parse(text);
  if (message !== "ChatGptRequest") {
    // The frame is a hello or a ping.
    if (message !== "drain") socket.send(JSON.stringify({ id, message, data: "" }));
    return;
  }
  const { content } = JSON.parse(data);
  const answer = JSON.stringify({
    id,
    response_id: crypto.randomUUID(),
    conversation_id: conversationId(),
    content: `echo: ${content}`,
    error: "",
  });
  const frame = JSON.stringify({ id, message: "ChatGptResponse", data: answer });
  after(wishOf(content).pauseMs, () => socket.send(frame));
}

/** Returns an id like those of the ChatGPT site: the seconds since 1970, then random digits. */
function conversationId(): string {
  return Math.floor(Date.now() / 1000).toString(16) + crypto.randomUUID().slice(8);
}

/** Resolves once the server has registered the agent. */
function connectOne(address: string, { protocol, slots }: Connect): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const url = `${address}/client/register`;
  const socket = protocol === "v2" ? new WebSocket(url, ["chatgpt-agent.v2"]) : new WebSocket(url);
  sockets.add(socket);
  socket.addEventListener("close", ({ code, reason }) => {
    sockets.delete(socket);
    reject(new Error(`an agent's connection was closed: ${code} ${reason}`));
  });
  const opened = protocol === "v2" ? openV2 : openV1;
  opened(socket, slots, resolve);
  return promise;
}

function openV2(socket: WebSocket, slots: number, registered: () => void): void {
  const models = [{ id: MODEL }];
  const endpoints = ["chat/completions"];
  const hello = { type: "hello", name: "bench", version: "1", slots, models, endpoints };
  socket.addEventListener("open", () => socket.send(JSON.stringify(hello)));
  // The first frame is `ready`.
  socket.addEventListener("message", registered, { once: true });
  socket.addEventListener("message", ({ data }) => answerV2(socket, String(data)));
}

function openV1(socket: WebSocket, _slots: number, registered: () => void): void {
  socket.addEventListener("message", ({ data }) => answerV1(socket, String(data)));
  // Nothing confirms the hello, but a server that answers a ping has handled the frames before it.
  socket.addEventListener("message", () => socket.ping(), { once: true });
  socket.addEventListener("pong", registered, { once: true });
}

async function connectAll(command: Connect): Promise<void> {
  const { addresses, count } = command;
  let next = 0;
  const connectSome = async () => {
    while (next < count) await connectOne(addresses[next++ % addresses.length] ?? "", command);
  };
  await Promise.all(Array.from({ length: Math.min(CONNECTING_MAX, count) }, connectSome));
}

async function closeAll(): Promise<void> {
  const closing = [...sockets].map((socket) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.addEventListener("close", () => resolve());
    socket.close(1000);
    return promise;
  });
  await Promise.all(closing);
}

let guarded: { pids: readonly number[]; folder: string } | undefined;

process.on("message", async (command: AgentsCommand) => {
  const reply: AgentsReply = { number: command.number };
  try {
    if (command.do === "connect") await connectAll(command);
    else if (command.do === "close") await closeAll();
    else guarded = command;
  } catch (error) {
    reply.error = String(error);
  }
  process.send?.(reply);
});

process.on("disconnect", () => {
  for (const pid of guarded?.pids ?? []) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // The process has ended by itself.
    }
  }
  if (guarded) rmSync(guarded.folder, { recursive: true, force: true });
  process.exit();
});
