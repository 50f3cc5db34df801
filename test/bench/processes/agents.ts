/*
 * The process of the agents, of both protocols, which answer as the callers wish. It carries out the commands of the
 * bench, and outlives it only to end what the bench left running.
 */
import { rmSync } from "node:fs";
import { MODEL } from "../answers.ts";
import { answerV1, answerV2, finishOldest, forgetHeld } from "./agent-answers.ts";
import type { AgentsCommand, AgentsReply } from "./agents-protocol.ts";

type Connect = Extract<AgentsCommand, { do: "connect" }>;

/** The maximum number of agents that connect at the same time. */
const CONNECTING_MAX = 128;
/** The pause between two updates. */
const UPDATE_EVERY_MS = 1;

const sockets = new Map<WebSocket, { group: string; models: readonly string[] }>();

/** Resolves once the server has registered the agent. */
function connectOne(address: string, index: number, command: Connect): Promise<void> {
  const { protocol, slots = 1, group, models = [MODEL] } = command;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const url = `${address}/client/register`;
  const socket = protocol === "v2" ? new WebSocket(url, ["chatgpt-agent.v2"]) : new WebSocket(url);
  const own = models.slice(index % models.length).slice(0, 1);
  sockets.set(socket, { group, models: own });
  socket.addEventListener("close", ({ code, reason }) => {
    sockets.delete(socket);
    reject(new Error(`an agent's connection was closed: ${code} ${reason}`));
  });
  if (protocol === "v2") openV2(socket, slots, own, resolve);
  else openV1(socket, resolve);
  return promise;
}

const listed = (models: readonly string[]) => models.map((id) => ({ id }));

function openV2(socket: WebSocket, slots: number, models: readonly string[], registered: () => void): void {
  const endpoints = ["chat/completions"];
  const hello = { type: "hello", name: "bench", version: "1", slots, models: listed(models), endpoints };
  socket.addEventListener("open", () => socket.send(JSON.stringify(hello)));
  // The first frame is `ready`.
  socket.addEventListener("message", registered, { once: true });
  socket.addEventListener("message", ({ data }) => answerV2(socket, String(data)));
}

function openV1(socket: WebSocket, registered: () => void): void {
  socket.addEventListener("message", ({ data }) => answerV1(socket, String(data)));
  // Nothing confirms the hello, but a server that answers a ping has handled the frames before it.
  socket.addEventListener("message", () => socket.ping(), { once: true });
  socket.addEventListener("pong", registered, { once: true });
}

async function connectAll(command: Connect): Promise<void> {
  const { addresses, count } = command;
  let next = 0;
  const connectSome = async () => {
    while (next < count) {
      const index = next++;
      await connectOne(addresses[index % addresses.length] ?? "", index, command);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONNECTING_MAX, count) }, connectSome));
}

function inGroup(group: string, count: number): WebSocket[] {
  return [...sockets].flatMap(([socket, own]) => (own.group === group ? [socket] : [])).slice(0, count);
}

let updates = 0;

async function update(group: string, count: number): Promise<void> {
  const chosen = inGroup(group, count);
  for (let index = 0; index < count; index++) {
    const socket = chosen[index % chosen.length];
    if (!socket) throw new Error(`There is no agent in the group ${group}.`);
    const models = listed([...(sockets.get(socket)?.models ?? []), `update-${++updates}`]);
    socket.send(JSON.stringify({ type: "update", models }));
    await Bun.sleep(UPDATE_EVERY_MS);
  }
}

async function closeAll(chosen: Iterable<WebSocket>): Promise<void> {
  const closing = [...chosen].map((socket) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.addEventListener("close", () => resolve());
    socket.close(1000);
    return promise;
  });
  await Promise.all(closing);
}

let guarded: { pids: readonly number[]; folder: string } | undefined;

async function carryOut(command: AgentsCommand): Promise<void> {
  switch (command.do) {
    case "connect":
      return connectAll(command);
    case "update":
      return update(command.group, command.count);
    case "finish":
      return finishOldest(command.count);
    case "leave":
      return closeAll(inGroup(command.group, command.count));
    case "close":
      forgetHeld();
      return closeAll(sockets.keys());
    case "guard":
      guarded = command;
  }
}

process.on("message", async (command: AgentsCommand) => {
  const reply: AgentsReply = { number: command.number };
  try {
    await carryOut(command);
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
