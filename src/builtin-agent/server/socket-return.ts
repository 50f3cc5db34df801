import type { Cancel } from "../../clock.ts";
import { MINUTE_MS } from "../../durations.ts";
import type { PollingConnection } from "./polling.ts";
import { doSocketsWork } from "./probe.ts";
import type { ConnectionOptions } from "./server-connection.ts";
import type { TransportChoice } from "./transport-choice.ts";
import { SocketConnection } from "./web-socket.ts";

interface SocketReturnOptions extends ConnectionOptions {
  choice: TransportChoice;
  polling: PollingConnection;
  /** Whether the agent has asks. */
  isBusy: () => boolean;
  /** The server is ready on the WebSocket, which has taken over the agent's identity. */
  onReturned: (socket: SocketConnection) => void;
}

/** A busy agent takes no more asks after this time, so that it can move. */
const BUSY_MAX_MS = 5 * MINUTE_MS;

/**
 * Brings an agent that long-polls back to a WebSocket, once one works: the agent pauses while it has no ask, opens the
 * WebSocket under its identity, and goes on there. No ask is lost, as none is at the agent meanwhile.
 */
export class SocketReturn {
  #cancelTimer: Cancel = () => {};
  #state: "waiting" | "probed" | "pausing" | "moving" | "over" = "waiting";
  #socket: SocketConnection | undefined;
  #isPaused = false;
  /** Why the connection by long-polling has ended. */
  #pollingEnd: string | undefined;

  constructor(private readonly options: SocketReturnOptions) {
    this.#schedule();
  }

  /**
   * The connection by long-polling has ended. Returns whether that is to be expected, as the WebSocket may have taken
   * over the agent's identity.
   */
  pollingEnded(reason: string): boolean {
    if (this.#state !== "moving") return false;
    this.#pollingEnd = reason;
    return true;
  }

  /** The agent has no ask any more. */
  idle(): void {
    if (this.#state === "probed") void this.#move();
  }

  stop(): void {
    if (this.#state === "moving") this.#socket?.close();
    this.#state = "over";
    this.#cancelTimer();
  }

  #schedule(): void {
    this.#state = "waiting";
    this.#cancelTimer = this.options.clock.after(this.options.choice.nextProbeMs(), () => void this.#probe());
  }

  async #probe(): Promise<void> {
    const works = await doSocketsWork(this.options);
    if (this.#state !== "waiting") return;
    if (!works) return this.#schedule();
    this.#state = "probed";
    if (!this.options.isBusy()) return void this.#move();
    this.#cancelTimer = this.options.clock.after(BUSY_MAX_MS, () => this.#pause());
  }

  #pause(): void {
    this.#isPaused = true;
    this.options.polling.send({ type: "pause" });
  }

  async #move(): Promise<void> {
    this.#state = "pausing";
    this.#cancelTimer();
    if (!this.#isPaused) this.#pause();
    await this.options.polling.settled();
    if (this.#state !== "pausing") return;
    if (this.options.isBusy()) {
      // An ask came before the server had read the pause. Its end calls again.
      this.#state = "probed";
      return;
    }
    this.#state = "moving";
    this.#open();
  }

  #open(): void {
    const { options } = this;
    const socket = new SocketConnection({
      ...options,
      onFrame: (frame) => {
        if (this.#state === "moving" && frame.type === "ready") {
          this.#state = "over";
          options.onReturned(socket);
        }
        options.onFrame(frame);
      },
      onEnd: (end) => {
        if (this.#state === "moving") this.#goOn();
        else if (this.#socket === socket) options.onEnd(end);
      },
    });
    this.#socket = socket;
  }

  /** The WebSocket has failed: the agent takes asks again as before. */
  #goOn(): void {
    this.#socket = undefined;
    this.#isPaused = false;
    if (this.#pollingEnd !== undefined) {
      this.#state = "over";
      this.options.onEnd({ reason: this.#pollingEnd, final: false });
      return;
    }
    const { slots, models, endpoints } = this.options.hello();
    this.options.polling.send({ type: "update", slots, models, endpoints });
    this.#schedule();
  }
}
