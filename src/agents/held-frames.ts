/** How many frames of one agent are kept, and how long they may be together. */
const FRAMES_MAX = 100;
const LENGTH_MAX = 64 * 1024;

/** The frames of an agent that is not registered yet, in their order. */
export class HeldFrames {
  readonly texts: string[] = [];
  #length = 0;

  /** Returns false if it is too much. */
  add(text: string): boolean {
    this.#length += text.length;
    if (this.texts.length >= FRAMES_MAX || this.#length > LENGTH_MAX) return false;
    this.texts.push(text);
    return true;
  }
}
