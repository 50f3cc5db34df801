import { onTestFinished } from "bun:test";
import type { ServerWebSocket } from "bun";
import {
  AGENT_SUBPROTOCOL,
  AgentFrame,
  type HelloFrame,
  type ServerFrame,
} from "../../src/protocol/agent-v2.ts";
import { HANG_MS } from "./until.ts";

type Frame<Type extends AgentFrame["type"]> = Extract<AgentFrame, { type: Type }>;
type AskFrame = Extract<ServerFrame, { type: "ask" }>;

/** All frames that an agent sent for one ask. */
export interface Answer {
  deltas: Frame<"delta">[];
  accepts: number;
  end: Frame<"done"> | Frame<"fail">;
}

/** A connection of an agent, from its hello on. */
export interface AgentConnection {
  hello: HelloFrame;
  /** The headers of the upgrade. */
  headers: Headers;
  /** All frames since the hello. */
  frames: readonly AgentFrame[];
  /** How many frames each message had that was a list of them. */
  lists: readonly number[];
  send(frame: ServerFrame | Record<string, unknown>): void;
  /** Sends an ask. By default it is a streamed chat completion with a deadline of a minute. */
  ask(given: Partial<AskFrame> & { ask: string }): void;
  /** Resolves with all frames for an ask, once it has ended. */
  answer(ask: string): Promise<Answer>;
  /** Resolves with the first frame of that type that fits. */
  frame<Type extends AgentFrame["type"]>(
    type: Type,
    fits?: (frame: Frame<Type>) => boolean,
  ): Promise<Frame<Type>>;
  close(code: number, reason?: string): void;
  /** Cuts the connection, as a crash does. */
  drop(): void;
  closed: Promise<{ code: number; reason: string }>;
}

export interface AgentServer {
  /** `127.0.0.1:<port>`. */
  host: string;
  port: number;
  /** Resolves with the next connection that has said hello. Each is returned once. */
  next(): Promise<AgentConnection>;
  /** The requests so far, including upgrades. */
  requests: readonly { path: string; headers: Headers }[];
  /** Answers requests with this function instead of an upgrade. */
  refuseWith(answer: ((request: Request) => Response | Promise<Response>) | undefined): void;
  /** Leaves hellos unanswered from now on. Returns a function that answers them. */
  keepSilent(): () => void;
  /** The number of WebSocket pings of agents so far. */
  pings(): number;
  /** The number of hellos that wait for an answer. */
  silentHellos(): number;
  stop(): Promise<void>;
}

interface SocketData {
  headers: Headers;
  connection: Connection | undefined;
}

export interface AgentServerOptions {
  port?: number;
  frameBytesMax?: number;
  /** Told in `ready`; an older server tells none. */
  silenceMs?: number;
  listLength?: number;
}

const ENDPOINT = "chat/completions";

class Connection implements AgentConnection {
  readonly frames: AgentFrame[] = [];
  readonly lists: number[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly settleClosed: (how: { code: number; reason: string }) => void;
  readonly #waiting = new Set<(frame: AgentFrame) => void>();
  readonly #ws: ServerWebSocket<SocketData>;

  constructor(
    ws: ServerWebSocket<SocketData>,
    readonly hello: HelloFrame,
    readonly headers: Headers,
  ) {
    this.#ws = ws;
    const { promise, resolve } = Promise.withResolvers<{ code: number; reason: string }>();
    this.closed = promise;
    this.settleClosed = resolve;
  }

  take(frame: AgentFrame): void {
    this.frames.push(frame);
    for (const look of this.#waiting) look(frame);
  }

  send(frame: ServerFrame | Record<string, unknown>): void {
    this.#ws.send(JSON.stringify(frame));
  }

  ask(given: Partial<AskFrame> & { ask: string }): void {
    this.send({ type: "ask", endpoint: ENDPOINT, stream: true, body: "{}", deadline_ms: 60_000, ...given });
  }

  async answer(ask: string): Promise<Answer> {
    const isEnd = (frame: AgentFrame) =>
      (frame.type === "done" || frame.type === "fail") && frame.ask === ask;
    const end = (await this.#find(isEnd, `an end of ${ask}`)) as Answer["end"];
    const own = this.frames.filter((frame) => "ask" in frame && frame.ask === ask);
    return {
      deltas: own.filter((frame) => frame.type === "delta"),
      accepts: own.filter(({ type }) => type === "accept").length,
      end,
    };
  }

  frame<Type extends AgentFrame["type"]>(
    type: Type,
    fits: (frame: Frame<Type>) => boolean = () => true,
  ): Promise<Frame<Type>> {
    const isIt = (frame: AgentFrame) => frame.type === type && fits(frame as Frame<Type>);
    return this.#find(isIt, `a fitting ${type}`) as Promise<Frame<Type>>;
  }

  close(code: number, reason = ""): void {
    this.#ws.close(code, reason);
  }

  drop(): void {
    this.#ws.terminate();
  }

  #find(isIt: (frame: AgentFrame) => boolean, what: string): Promise<AgentFrame> {
    const found = this.frames.find(isIt);
    if (found) return Promise.resolve(found);
    return new Promise((resolve, reject) => {
      const settle = (run: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        run();
      };
      const look = (frame: AgentFrame) => {
        if (isIt(frame)) settle(() => resolve(frame));
      };
      const last = () => JSON.stringify(this.frames.slice(-5)).slice(0, 2000);
      const fail = () => reject(new Error(`the agent did not send ${what}; its last frames: ${last()}`));
      const timer = setTimeout(() => settle(fail), HANG_MS);
      this.#waiting.add(look);
    });
  }
}

/**
 * Starts a server for v2 agents, on a real socket, that does only what the test makes it do: it answers
 * hellos with `ready` and keeps the frames of agents. At its end the test fails if a frame was invalid or too
 * large.
 */
export function startAgentServer(options: AgentServerOptions = {}): AgentServer {
  const server = new V2TestServer(options);
  onTestFinished(async () => {
    await server.stop();
    if (server.faults.length > 0) throw new Error(server.faults.join("\n"));
  });
  return server;
}

type Refusal = (request: Request) => Response | Promise<Response>;

class V2TestServer implements AgentServer {
  readonly requests: { path: string; headers: Headers }[] = [];
  readonly faults: string[] = [];
  readonly #frameBytesMax: number;
  readonly #silenceMs: number | undefined;
  readonly #listLength: number | undefined;
  readonly #arrived: Connection[] = [];
  readonly #waiting: ((connection: Connection) => void)[] = [];
  readonly #server: Bun.Server<SocketData>;
  #refusal: Refusal | undefined;
  #silent: (() => void)[] | undefined;
  #agents = 0;
  #pings = 0;

  constructor({ port = 0, frameBytesMax = 1024 ** 2, silenceMs, listLength }: AgentServerOptions) {
    this.#listLength = listLength;
    this.#silenceMs = silenceMs;
    this.#frameBytesMax = frameBytesMax;
    this.#server = Bun.serve<SocketData>({
      port,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      fetch: (request, server) => this.#upgrade(request, server),
      websocket: {
        idleTimeout: 0,
        sendPings: false,
        maxPayloadLength: 64 * 1024 ** 2,
        message: (ws, message) => this.#receive(ws, String(message)),
        ping: () => {
          this.#pings++;
        },
        close: (ws, code, reason) => ws.data.connection?.settleClosed({ code, reason }),
      },
    });
  }

  get port(): number {
    return this.#server.port ?? 0;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  next(): Promise<AgentConnection> {
    const connection = this.#arrived.shift();
    return connection ? Promise.resolve(connection) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  refuseWith(answer: Refusal | undefined): void {
    this.#refusal = answer;
  }

  keepSilent(): () => void {
    const silent: (() => void)[] = [];
    this.#silent = silent;
    return () => {
      this.#silent = undefined;
      for (const answerNow of silent) answerNow();
    };
  }

  silentHellos(): number {
    return this.#silent?.length ?? 0;
  }

  pings(): number {
    return this.#pings;
  }

  stop(): Promise<void> {
    return this.#server.stop(true);
  }

  #upgrade(request: Request, server: Bun.Server<SocketData>): Response | Promise<Response> | undefined {
    const headers = new Headers(request.headers);
    this.requests.push({ path: new URL(request.url).pathname, headers });
    if (this.#refusal) return this.#refusal(request);
    if (request.headers.get("sec-websocket-protocol") !== AGENT_SUBPROTOCOL)
      return new Response("no subprotocol", { status: 400 });
    const data = { headers, connection: undefined };
    return server.upgrade(request, { data }) ? undefined : new Response("no upgrade", { status: 400 });
  }

  #receive(ws: ServerWebSocket<SocketData>, text: string): void {
    const value: unknown = JSON.parse(text);
    const frames: unknown[] = Array.isArray(value) ? value : [value];
    for (const frame of frames) this.#take(ws, JSON.stringify(frame), frame);
    if (!Array.isArray(value)) return;
    if (text.length > (this.#listLength ?? 0)) this.faults.push(`a list of ${text.length}`);
    ws.data.connection?.lists.push(value.length);
  }

  #take(ws: ServerWebSocket<SocketData>, text: string, value: unknown): void {
    const { success, data, error } = AgentFrame.safeParse(value);
    if (!success) return void this.faults.push(`${text.slice(0, 200)}: ${error}`);
    if (Buffer.byteLength(text) > this.#frameBytesMax) this.faults.push(`too large: ${data.type}`);
    if (data.type === "hello" && !ws.data.connection) this.#welcome(ws, data);
    else ws.data.connection?.take(data);
  }

  #welcome(ws: ServerWebSocket<SocketData>, hello: HelloFrame): void {
    const connection = new Connection(ws, hello, ws.data.headers);
    ws.data.connection = connection;
    if (this.#silent) this.#silent.push(() => this.#answerHello(connection));
    else this.#answerHello(connection);
  }

  #answerHello(connection: Connection): void {
    const { agent: earlier, resume } = connection.hello;
    const known = earlier !== undefined && resume === `secret of ${earlier}`;
    const agent = known ? earlier : `agent-${++this.#agents}`;
    const limits = {
      frame_bytes: this.#frameBytesMax,
      silence_ms: this.#silenceMs,
      list_length: this.#listLength,
    };
    connection.send({ type: "ready", agent, resume: `secret of ${agent}`, version: "test", limits });
    const take = this.#waiting.shift();
    if (take) take(connection);
    else this.#arrived.push(connection);
  }
}
