import type { ServerFrame } from "../../src/protocol/agent-v2.ts";
import { readPiece, writePiece } from "../../src/protocol/bytes/pieces.ts";
import type { Piece } from "../../src/protocol/bytes/window.ts";
import { agentHeaders } from "./agent-key.ts";

export type AskFrame = Extract<ServerFrame, { type: "ask" }>;
type ReadyFrame = Extract<ServerFrame, { type: "ready" }>;

export interface V2AgentOptions {
  /** The agent key; null sends none. Default: that of the server, if a test has started it. */
  key?: string | null;
  hello?: object;
  headers?: Record<string, string>;
  /** The authority of the server's certificate, as PEM. */
  ca?: string;
  /** Accepts any certificate of the server. */
  acceptsAny?: boolean;
  /** Called with each ask. By default asks stay unanswered. */
  onAsk?: (ask: AskFrame, agent: V2Agent) => unknown;
}

/** A minimal v2 agent over a real socket. */
export interface V2Agent {
  ready: ReadyFrame;
  frames: ServerFrame[];
  /** The bytes of bodies that have come. */
  pieces: Piece[];
  /** Sends bytes of an answer. */
  sayPiece(piece: Piece): void;
  say(frame: object | string): void;
  /** Resolves with the first frame of the type that was not returned yet. */
  next<Type extends ServerFrame["type"]>(type: Type): Promise<Extract<ServerFrame, { type: Type }>>;
  ended: Promise<{ code: number; reason: string }>;
  drop(): void;
  stop(): void;
}

export const V2_HELLO = {
  type: "hello",
  name: "test agent",
  version: "1",
  slots: 8,
  models: [{ id: "m" }],
  endpoints: ["chat/completions"],
};

export async function connectV2Agent(url: string, options: V2AgentOptions = {}): Promise<V2Agent> {
  const { key, hello = V2_HELLO, headers, ca, acceptsAny, onAsk } = options;
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/client/register`, {
    protocols: ["chatgpt-agent.v2"],
    headers: agentHeaders(url, headers, key),
    ...(ca !== undefined && { tls: { ca } }),
    ...(acceptsAny && { tls: { rejectUnauthorized: false } }),
  });
  const ended = Promise.withResolvers<{ code: number; reason: string }>();
  const untaken: ServerFrame[] = [];
  const takers: { type: string; resolve: (frame: never) => void }[] = [];
  socket.onclose = ({ code, reason }) => ended.resolve({ code, reason });
  const agent: Omit<V2Agent, "ready"> = {
    frames: [],
    pieces: [],
    sayPiece: (piece) => socket.send(writePiece(piece)),
    say: (frame) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
    next(type) {
      const index = untaken.findIndex((frame) => frame.type === type);
      if (index >= 0) return Promise.resolve(untaken.splice(index, 1)[0] as never);
      return new Promise((resolve) => takers.push({ type, resolve }));
    },
    ended: ended.promise,
    drop: () => socket.terminate(),
    stop: () => socket.close(1000),
  };
  const take = (frame: ServerFrame) => {
    agent.frames.push(frame);
    const index = takers.findIndex(({ type }) => type === frame.type);
    if (index >= 0) takers.splice(index, 1)[0]?.resolve(frame as never);
    else untaken.push(frame);
    if (frame.type === "ping") agent.say({ type: "pong" });
    if (frame.type === "ask") void onAsk?.(frame, agent as V2Agent);
  };
  socket.onmessage = ({ data }) => {
    const piece = data instanceof Uint8Array ? readPiece(data) : undefined;
    if (piece) agent.pieces.push(piece);
    else take(JSON.parse(String(data)));
  };
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("the server refused the agent"));
  });
  agent.say(hello);
  const ready = await Promise.race([agent.next("ready"), ended.promise]);
  if (!("agent" in ready)) throw new Error(`closed: ${ready.code} ${ready.reason}`);
  return Object.assign(agent, { ready });
}

/** Returns the data of an event with a piece of text. */
export function chunk(content: string): string {
  return JSON.stringify({ object: "chat.completion.chunk", choices: [{ index: 0, delta: { content } }] });
}

/** Streams these pieces as the answer to an ask, and ends it. */
export function streamPieces(agent: V2Agent, ask: string, pieces: readonly string[]): void {
  agent.say({ type: "accept", ask });
  for (const piece of pieces) agent.say({ type: "delta", ask, data: chunk(piece) });
  agent.say({ type: "delta", ask, data: "[DONE]" });
  agent.say({ type: "done", ask, status: 200 });
}

/** Returns the messages in an ask. */
export function messagesOf({ body }: AskFrame): { role: string; content: string }[] {
  return JSON.parse(body).messages;
}
