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
}

const ENDPOINT = "chat/completions";

class Connection implements AgentConnection {
  readonly frames: AgentFrame[] = [];
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
export function startAgentServer({
  port = 0,
  frameBytesMax = 1024 ** 2,
}: AgentServerOptions = {}): AgentServer {
  const arrived: Connection[] = [];
  const waiting: ((connection: Connection) => void)[] = [];
  const requests: { path: string; headers: Headers }[] = [];
  const faults: string[] = [];
  let refusal: ((request: Request) => Response | Promise<Response>) | undefined;
  let held: (() => void)[] | undefined;
  let agents = 0;
  let pings = 0;

  const welcome = (ws: ServerWebSocket<SocketData>, hello: HelloFrame) => {
    const connection = new Connection(ws, hello, ws.data.headers);
    ws.data.connection = connection;
    if (held) held.push(() => answerHello(connection, hello));
    else answerHello(connection, hello);
  };

  const answerHello = (connection: Connection, hello: HelloFrame) => {
    const known = hello.agent !== undefined && hello.resume === `secret of ${hello.agent}`;
    const agent = known ? hello.agent : `agent-${++agents}`;
    const limits = { frame_bytes: frameBytesMax };
    connection.send({ type: "ready", agent, resume: `secret of ${agent}`, version: "test", limits });
    const take = waiting.shift();
    if (take) take(connection);
    else arrived.push(connection);
  };

  const server = Bun.serve<SocketData>({
    port,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch(request, self) {
      const headers = new Headers(request.headers);
      requests.push({ path: new URL(request.url).pathname, headers });
      if (refusal) return refusal(request);
      if (request.headers.get("sec-websocket-protocol") !== AGENT_SUBPROTOCOL)
        return new Response("no subprotocol", { status: 400 });
      const data = { headers, connection: undefined };
      return self.upgrade(request, { data }) ? undefined : new Response("no upgrade", { status: 400 });
    },
    websocket: {
      idleTimeout: 0,
      sendPings: false,
      maxPayloadLength: 64 * 1024 ** 2,
      message(ws, message) {
        const { success, data, error } = AgentFrame.safeParse(JSON.parse(String(message)));
        if (!success) return void faults.push(`${String(message).slice(0, 200)}: ${error}`);
        if (Buffer.byteLength(String(message)) > frameBytesMax) faults.push(`too large: ${data.type}`);
        if (data.type === "hello" && !ws.data.connection) welcome(ws, data);
        else ws.data.connection?.take(data);
      },
      ping: () => {
        pings++;
      },
      close: (ws, code, reason) => ws.data.connection?.settleClosed({ code, reason }),
    },
  });

  const stop = () => server.stop(true);
  onTestFinished(async () => {
    await stop();
    if (faults.length > 0) throw new Error(faults.join("\n"));
  });
  return {
    host: `127.0.0.1:${server.port}`,
    port: server.port ?? 0,
    requests,
    next: () => {
      const connection = arrived.shift();
      return connection ? Promise.resolve(connection) : new Promise((resolve) => waiting.push(resolve));
    },
    refuseWith: (answer) => {
      refusal = answer;
    },
    keepSilent: () => {
      const silent: (() => void)[] = [];
      held = silent;
      return () => {
        held = undefined;
        for (const answerNow of silent) answerNow();
      };
    },
    pings: () => pings,
    silentHellos: () => held?.length ?? 0,
    stop,
  };
}
