import type { CloseReason } from "../protocol/close.ts";
import type { AgentLink, Cancel } from "../relay/ports.ts";
import type { AgentSession, SessionOptions } from "./session.ts";

/** The life of an agent's connection in either protocol: a hello in time, a link while it is registered, one end. */
export abstract class Line<Options extends SessionOptions> implements AgentSession {
  /** There once it is registered. */
  protected link: AgentLink | undefined;
  protected closed = false;
  #stopHello: Cancel | undefined;

  constructor(protected readonly options: Options) {
    this.#stopHello = options.clock.after(options.helloWithinMs, () => this.close("hello_missing"));
  }

  abstract frame(text: string): void;

  close(reason: CloseReason): void {
    if (this.closed) return;
    this.closed = true;
    this.endHello();
    this.options.socket.close(reason);
  }

  drained(): void {
    this.link?.writable(true);
  }

  end(reason: CloseReason): void {
    // First, as the runtime reports the end of a socket from within its closing.
    this.link?.gone(reason);
    this.close(reason);
  }

  gone(): void {
    this.closed = true;
    this.endHello();
    this.link?.gone();
  }

  /** The hello has come. The timer would be kept as long as the agent is. */
  protected endHello(): void {
    this.#stopHello?.();
    this.#stopHello = undefined;
  }

  /** False where it cannot be sent any more. */
  protected write(frame: object): boolean {
    if (this.closed) return false;
    const result = this.options.socket.sendText(JSON.stringify(frame));
    if (result === "congested") this.link?.writable(false);
    return result !== "dropped";
  }
}
