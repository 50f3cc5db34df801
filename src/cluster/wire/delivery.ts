import type { Clock } from "../../clock.ts";
import { causeOf, type Log } from "../../log/log.ts";
import { checkFrame, readBody, readFrames } from "../../protocol/node/check.ts";
import type { FrameOf, NodeFrame, NodeFrameKind } from "../../protocol/node/frames.ts";
import type { NodeInfo, Part } from "../part.ts";

export type Fault = "malformed" | "unknown" | "failed";

interface DeliveryOptions {
  log: Pick<Log, "warn" | "error">;
  clock: Clock;
}

/** One fault is logged for each node in this time. */
const LOG_EVERY_MS = 60_000;
const NODES_LOGGED_MAX = 100;

/** Passes frames on to the parts. Never throws, whatever the frames are and whatever a part does. */
export class Delivery {
  readonly #options: DeliveryOptions;
  #parts: readonly Part[] = [];
  #loggedAt = new Map<string, number>();
  /** Frames that were not passed on, and those in which a part failed. */
  ignored = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  set parts(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** Takes a large frame, or the body of a message, until `isOpen` says that its frames are void. */
  take(from: NodeInfo, given: string | Buffer, isOpen: () => boolean): void {
    const values = typeof given === "string" ? readFrames(given) : readBody(given);
    if (!values) this.fault(from, "malformed");
    for (const value of values ?? []) {
      if (!isOpen()) return;
      const frame = checkFrame(value);
      if (typeof frame === "string") this.fault(from, frame);
      else this.#pass(from, frame);
    }
  }

  /** Tells each part, even if another one fails. */
  tell(event: "joined" | "changed" | "lost", node: NodeInfo): void {
    for (const part of this.#parts) this.#guard(node, () => part[event]?.(node));
  }

  /** Stops the parts, which get no more frames, and hear no more of nodes. */
  stop(): void {
    const parts = this.#parts;
    for (const part of parts) part.stop?.();
    this.#parts = [];
  }

  /** Counts what a node did wrong, and logs it once a minute. */
  fault(from: NodeInfo, fault: Fault, cause?: string): void {
    this.ignored += 1;
    const { log, clock } = this.#options;
    const key = `${fault} ${from.id}`;
    const lastAt = this.#loggedAt.get(key) ?? Number.NEGATIVE_INFINITY;
    if (clock.now() - lastAt < LOG_EVERY_MS) return;
    if (this.#loggedAt.size > NODES_LOGGED_MAX) this.#loggedAt.clear();
    this.#loggedAt.set(key, clock.now());
    const fields = { node: from.id, name: from.name, version: from.version, fault, cause };
    if (fault === "failed") log.error("frame_failed", fields);
    else log.warn("frame_ignored", fields);
  }

  #pass(from: NodeInfo, frame: NodeFrame): void {
    for (const part of this.#parts)
      if (part.frames[frame.kind]) this.#guard(from, () => passTo(part, from, frame));
  }

  #guard(node: NodeInfo, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.fault(node, "failed", causeOf(error));
    }
  }
}

function passTo<Kind extends NodeFrameKind>(part: Part, from: NodeInfo, frame: FrameOf<Kind>): void {
  part.frames[frame.kind as Kind]?.(from, frame);
}
