import type { V1ServerFrame } from "../../src/protocol/agent-v1.ts";
import { type AgentRequest, errorFrame, framesFor, type Outcome } from "./outcome.ts";
import { type Ending, openRawSocket } from "./raw-socket.ts";

export interface AgentOptions {
  /**
   * Returns the outcome of a request. Throws if the agent fails. By default every request gets the default
   * answer.
   */
  answer?: (request: AgentRequest) => Outcome | Promise<Outcome>;
  /** The id of an earlier registration, to answer hellos with. */
  id?: string;
  headers?: Record<string, string>;
  /** Reconnects after this time, unless the close code is 4500 or above. */
  reconnectMs?: number;
}

export interface TestAgent {
  /** The id with which it is registered. */
  readonly id: string;
  /** All requests so far, over all its connections. */
  readonly requests: readonly AgentRequest[];
  /** The frames of the server that were not a hello, a ping or a request. */
  readonly notices: readonly V1ServerFrame[];
  readonly pings: number;
  /** How the present connection ends. A new promise after `connect`. */
  readonly ended: Promise<Ending>;
  /** Resolves with the first request that was not returned yet. */
  nextRequest(): Promise<AgentRequest>;
  nextPing(): Promise<void>;
  /** Connects again with its id. Resolves once it is registered. */
  connect(url?: string): Promise<void>;
  /** Cuts the connection, as a crash does. */
  drop(): void;
  /** Closes the connection properly and for good. */
  stop(): Promise<void>;
}

/** The WebSocket of a v1 agent. */
interface V1Socket {
  send(text: string): void;
  /** Resolves with true once the server's pong has come: by then it has handled all earlier frames. */
  ping(): Promise<boolean>;
  drop(): void;
  close(): void;
  ended: Promise<Ending>;
}

interface Kind {
  dial(
    url: string,
    headers: Record<string, string>,
    handle: (text: string) => Promise<void>,
  ): Promise<V1Socket>;
  /** Returns the frame that reports a failure; undefined if the agent sends none. */
  failure(requestId: string): string | undefined;
}

/** Handles each frame by itself, so that several requests can run at once and end in any order. */
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

/** Handles a frame on the thread that reads, so that it answers no ping while a request runs. */
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
 * Behaves like the browser extension: sends `Origin: null`, appends `/client/register` to its address (HTTP
 * or WebSocket, with or without `/agents/<key>`), and does not reconnect by itself.
 */
export const firefoxAgent = (url: string, options: AgentOptions = {}) => connectAgent(FIREFOX, url, options);

/**
 * Behaves like the Python agent: sends no `Origin`, handles one frame at a time, and does not report
 * failures.
 */
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
  let socket: V1Socket;

  const answer = async (own: V1Socket, frame: V1ServerFrame) => {
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
    socket = await dialled;
    const own = socket;
    if (options.reconnectMs !== undefined) void own.ended.then(reconnect);
    await Promise.race([greeted.promise, own.ended]);
    if (await own.ping()) return;
    const { code, reason } = await own.ended;
    throw new Error(`The server closed the agent's connection (${code} ${reason}).`);
  };

  const reconnect = async ({ code }: Ending) => {
    if (stopped || code >= 4500) return;
    await Bun.sleep(options.reconnectMs ?? 0);
    if (!stopped) await connect().catch(() => reconnect({ code: 1006, reason: "" }));
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
      return socket.ended;
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
    drop: () => socket.drop(),
    async stop() {
      stopped = true;
      socket.close();
      await socket.ended;
    },
  };
}
