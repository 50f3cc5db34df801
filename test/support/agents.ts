import type { V1ServerFrame } from "../../src/protocol/agent-v1.ts";
import { type AgentRequest, errorFrame, framesFor, type Outcome } from "./outcome.ts";
import { type Ending, openRawSocket } from "./raw-socket.ts";

export interface AgentOptions {
  /** A throw is a failure of the agent's. Default: the default answer. */
  answer?: (request: AgentRequest) => Outcome | Promise<Outcome>;
  /** Of an earlier registration: hellos are answered with it. */
  id?: string;
  headers?: Record<string, string>;
  /** Comes back after this long whenever its connection ended without a "do not" (4500 and above). */
  reconnectMs?: number;
}

export interface TestAgent {
  /** It registered under this one. */
  readonly id: string;
  /** All requests received so far, over all its connections. */
  readonly requests: readonly AgentRequest[];
  /** The frames of the server that were neither hello, ping nor request. */
  readonly notices: readonly V1ServerFrame[];
  readonly pings: number;
  /** How the present connection ends; with a new promise after `connect`. */
  readonly ended: Promise<Ending>;
  /** The first request not yet taken this way. */
  nextRequest(): Promise<AgentRequest>;
  nextPing(): Promise<void>;
  /** Connects again, with its id. Resolves once it is registered. */
  connect(url?: string): Promise<void>;
  /** Cuts its connection, as a crash does. */
  drop(): void;
  /** Closes properly and for good. */
  stop(): Promise<void>;
}

/** One agent's connection, in as much of WebSocket as agents use. */
interface Line {
  send(text: string): void;
  /** True once the server's pong came: it has then handled all that was sent before. */
  ping(): Promise<boolean>;
  drop(): void;
  close(): void;
  ended: Promise<Ending>;
}

interface Kind {
  dial(url: string, headers: Record<string, string>, handle: (text: string) => Promise<void>): Promise<Line>;
  /** The frame that tells of a failure; undefined where the agent says nothing. */
  failure(requestId: string): string | undefined;
}

/** Handles every frame on its own, so that several requests run at once and end in any order. */
const FIREFOX: Kind = {
  failure: errorFrame,
  async dial(url, headers, handle) {
    const socket = new WebSocket(url, { headers: { Origin: "null", ...headers } });
    const opened = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<Ending>();
    const pongs: ((answered: boolean) => void)[] = [];
    socket.addEventListener("open", () => opened.resolve());
    socket.addEventListener("message", (event) => void handle(String(event.data)));
    socket.addEventListener("pong", () => pongs.shift()?.(true));
    socket.addEventListener("close", ({ code, reason }) => {
      opened.reject(new Error(`The server refused the agent (${code} ${reason}).`));
      ended.resolve({ code, reason });
      for (const resolve of pongs.splice(0)) resolve(false);
    });
    await opened.promise;
    return {
      send: (text) => socket.readyState === WebSocket.OPEN && socket.send(text),
      ping() {
        if (socket.readyState !== WebSocket.OPEN) return Promise.resolve(false);
        socket.ping();
        return new Promise((resolve) => pongs.push(resolve));
      },
      drop: () => socket.terminate(),
      close: () => socket.close(1000),
      ended: ended.promise,
    };
  },
};

/** Handles a frame on the thread that reads, so that it answers no ping of any kind while a request runs. */
const PYTHON: Kind = {
  failure: () => undefined,
  async dial(url, headers, handle) {
    const socket = await openRawSocket(url, { headers });
    void (async () => {
      for (let message = await socket.receive(); message; message = await socket.receive()) {
        await handle(message.text);
      }
    })();
    return {
      send: socket.send,
      ping: socket.ping,
      drop: socket.destroy,
      close: () => socket.close(),
      ended: socket.ended,
    };
  },
};

/**
 * Behaves as the browser extension does: sends `Origin: null`, appends `/client/register` to the address it
 * is given (HTTP or WebSocket, with or without `/agents/<key>`), and never comes back by itself.
 */
export const firefoxAgent = (url: string, options: AgentOptions = {}) => connectAgent(FIREFOX, url, options);

/** Behaves as the Python agent does: no Origin, one frame at a time, silent about its failures. */
export const pythonAgent = (url: string, options: AgentOptions = {}) => connectAgent(PYTHON, url, options);

async function connectAgent(kind: Kind, url: string, options: AgentOptions): Promise<TestAgent> {
  const requests: AgentRequest[] = [];
  const notices: V1ServerFrame[] = [];
  const untaken: AgentRequest[] = [];
  const takers: ((request: AgentRequest) => void)[] = [];
  let address = url;
  let id = options.id;
  let pings = 0;
  let pinged = Promise.withResolvers<void>();
  let stopped = false;
  let line: Line;

  const answer = async (own: Line, frame: V1ServerFrame) => {
    const request: AgentRequest = { id: frame.id, ...JSON.parse(frame.data) };
    requests.push(request);
    const taker = takers.shift();
    if (taker) taker(request);
    else untaken.push(request);
    try {
      const outcome = (await options.answer?.(request)) ?? {};
      if (outcome === "drop") own.drop();
      else for (const text of framesFor(request, outcome)) own.send(text);
    } catch {
      const failure = kind.failure(request.id);
      if (failure) own.send(failure);
    }
  };

  const connect = async () => {
    const greeted = Promise.withResolvers<void>();
    const handle = async (text: string) => {
      const frame: V1ServerFrame = JSON.parse(text);
      // The hello may come before `dial` has returned.
      const own = await dialled;
      if (frame.message === "Connection id") {
        id ??= frame.id;
        own.send(JSON.stringify({ id, message: "Connection id", data: "" }));
        greeted.resolve();
      } else if (frame.message === "ping") {
        pings++;
        pinged.resolve();
        pinged = Promise.withResolvers();
        own.send(JSON.stringify({ id: frame.id, message: "pong", data: "" }));
      } else if (frame.message === "ChatGptRequest") {
        await answer(own, frame);
      } else {
        notices.push(frame);
      }
    };
    const target = `${address.replace(/^http/, "ws").replace(/\/$/, "")}/client/register`;
    const dialled = kind.dial(target, options.headers ?? {}, handle);
    line = await dialled;
    const own = line;
    if (options.reconnectMs !== undefined) void own.ended.then(comeBack);
    await Promise.race([greeted.promise, own.ended]);
    if (await own.ping()) return;
    const { code, reason } = await own.ended;
    throw new Error(`The server closed the agent's connection (${code} ${reason}).`);
  };

  const comeBack = async ({ code }: Ending) => {
    if (stopped || code >= 4500) return;
    await Bun.sleep(options.reconnectMs ?? 0);
    if (!stopped) await connect().catch(() => comeBack({ code: 1006, reason: "" }));
  };

  await connect();
  return {
    get id() {
      return id ?? "";
    },
    requests,
    notices,
    get pings() {
      return pings;
    },
    get ended() {
      return line.ended;
    },
    nextRequest() {
      const request = untaken.shift();
      return request ? Promise.resolve(request) : new Promise((resolve) => takers.push(resolve));
    },
    nextPing: () => pinged.promise,
    connect(newUrl = address) {
      address = newUrl;
      return connect();
    },
    drop: () => line.drop(),
    async stop() {
      stopped = true;
      line.close();
      await line.ended;
    },
  };
}
