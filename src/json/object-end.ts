import { DEPTH_MAX } from "./bounds.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

/**
 * Finds the end of a JSON object whose text comes in pieces. Each character is looked at once, so a million
 * pieces cost no more than one. It does not check that the text is JSON: parse it once it has ended.
 */
export class ObjectEnd {
  #state: "before" | "inside" | "string" | "escape" | "after" | "wrong" = "before";
  #depth = 0;

  /** Whether the brackets of the object are closed, and only white space follows. */
  get isReached(): boolean {
    return this.#state === "after";
  }

  add(text: string): void {
    for (let at = 0; at < text.length && this.#state !== "wrong"; at++) this.#next(text.charCodeAt(at));
  }

  #next(code: number): void {
    if (this.#state === "escape") this.#state = "string";
    else if (this.#state === "string") {
      if (code === BACKSLASH) this.#state = "escape";
      else if (code === QUOTE) this.#state = "inside";
    } else if (code > SPACE) this.#nextOfStructure(code);
  }

  #nextOfStructure(code: number): void {
    // "[" and "{" differ in this bit only, and so do "]" and "}".
    const opens = (code | 0x20) === 0x7b;
    const closes = (code | 0x20) === 0x7d;
    if (opens) this.#depth++;
    else if (closes) this.#depth--;
    if (this.#state === "before" ? code !== 0x7b : this.#state === "after" || this.#depth > DEPTH_MAX)
      this.#state = "wrong";
    else if (this.#depth === 0) this.#state = "after";
    else this.#state = code === QUOTE ? "string" : "inside";
  }
}
