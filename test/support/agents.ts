import type { V1ServerFrame } from "../../src/protocol/agent-v1.ts";
import { agentHeaders } from "./agent-key.ts";
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
  /** The agent key; null sends none. Default: that of the server, if a test has started it. */
  key?: string | null;
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
    const socket = await openRawSocket(url, { headers, key: null });
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
  const agent = new V1TestAgent(kind, url, options);
  await agent.connect();
  return agent;
}

class V1TestAgent implements TestAgent {
  readonly requests: AgentRequest[] = [];
  readonly notices: V1ServerFrame[] = [];
  pings = 0;
  readonly #kind: Kind;
  readonly #options: AgentOptions;
  readonly #untaken: AgentRequest[] = [];
  readonly #takers: ((request: AgentRequest) => void)[] = [];
  #address: string;
  #id: string | undefined;
  #pinged = Promise.withResolvers<void>();
  #stopped = false;
  #socket: V1Socket | undefined;

  constructor(kind: Kind, url: string, options: AgentOptions) {
    this.#kind = kind;
    this.#address = url;
    this.#options = options;
    this.#id = options.id;
  }

  get id(): string {
    return this.#id ?? "";
  }

  get ended(): Promise<Ending> {
    return this.#socket?.ended ?? Promise.reject(new Error("The agent was never connected."));
  }

  readonly drop = (): void => this.#socket?.drop();

  readonly stop = async (): Promise<void> => {
    this.#stopped = true;
    this.#socket?.close();
    await this.ended;
  };

  nextRequest(): Promise<AgentRequest> {
    const request = this.#untaken.shift();
    return request ? Promise.resolve(request) : new Promise((resolve) => this.#takers.push(resolve));
  }

  nextPing(): Promise<void> {
    return this.#pinged.promise;
  }

  async connect(url = this.#address): Promise<void> {
    this.#address = url;
    const { headers, key, reconnectMs } = this.#options;
    const greeted = Promise.withResolvers<void>();
    const target = `${url.replace(/^http/, "ws").replace(/\/$/, "")}/client/register`;
    // The hello may come before `dial` has returned.
    const dialled = this.#kind.dial(target, agentHeaders(target, headers, key), async (text) =>
      this.#receive(await dialled, JSON.parse(text), greeted.resolve),
    );
    const socket = await dialled;
    this.#socket = socket;
    if (reconnectMs !== undefined) void socket.ended.then((ending) => this.#reconnect(ending, reconnectMs));
    await Promise.race([greeted.promise, socket.ended]);
    if (await socket.ping()) return;
    const { code, reason } = await socket.ended;
    throw new Error(`The server closed the agent's connection (${code} ${reason}).`);
  }

  async #reconnect({ code }: Ending, afterMs: number): Promise<void> {
    if (this.#stopped || code >= 4500) return;
    await Bun.sleep(afterMs);
    if (this.#stopped) return;
    await this.connect().catch(() => this.#reconnect({ code: 1006, reason: "" }, afterMs));
  }

  async #receive(socket: V1Socket, frame: V1ServerFrame, greeted: () => void): Promise<void> {
    if (frame.message === "Connection id") {
      this.#id ??= frame.id;
      socket.send(JSON.stringify({ id: this.#id, message: "Connection id", data: "" }));
      greeted();
    } else if (frame.message === "ping") {
      this.pings++;
      this.#pinged.resolve();
      this.#pinged = Promise.withResolvers();
      socket.send(JSON.stringify({ id: frame.id, message: "pong", data: "" }));
    } else if (frame.message === "ChatGptRequest") {
      await this.#answer(socket, frame);
    } else {
      this.notices.push(frame);
    }
  }

  async #answer(socket: V1Socket, frame: V1ServerFrame): Promise<void> {
    const request: AgentRequest = { id: frame.id, ...JSON.parse(frame.data) };
    this.requests.push(request);
    const taker = this.#takers.shift();
    if (taker) taker(request);
    else this.#untaken.push(request);
    try {
      const outcome = (await this.#options.answer?.(request)) ?? {};
      if (outcome === "drop") socket.drop();
      else for (const text of framesFor(request, outcome)) socket.send(text);
    } catch {
      const failure = this.#kind.failure(request.id);
      if (failure) socket.send(failure);
    }
  }
}
