import { WINDOW_BYTES } from "../../protocol/bytes/window.ts";

/** How many bytes of an answer may be sent until the server takes more. */
export class CreditWindow {
  #bytes = WINDOW_BYTES;
  #wake: () => void = () => {};

  /** The server has taken so many bytes. */
  add(bytes: number): void {
    this.#bytes = Math.min(this.#bytes + bytes, WINDOW_BYTES);
    this.#wake();
  }

  /** Resolves when so many bytes may be sent, or the signal is aborted. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    while (this.#bytes < bytes && !signal.aborted)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    this.#bytes -= bytes;
  }
}
