import { parseJson } from "../../json/parse.ts";
import type { AskRecord } from "../../relay/record.ts";
import { bucketOf, Histogram } from "./histogram.ts";

/** The most error codes of a step. There are fewer, unless another program wrote it. */
const CODES_MAX = 100;
/** The largest cost of a step. Sums of costs may be above the whole numbers that a double has exactly. */
const NANOS_MAX = 1e24;

/** The numbers of one request, which several tallies count. */
export interface EndedRequest {
  /** The code of its error; undefined if it did not fail. */
  failure: string | undefined;
  inputTokens: number;
  outputTokens: number;
  /** In billionths of the currency's unit; null if its model had no price. */
  costNanos: number | null;
  /** How long a streamed answer took after its first byte, in milliseconds; undefined if it tells no speed. */
  streamedMs: number | undefined;
  /** The buckets of its durations. That of the first byte is undefined if there was none. */
  queue: number;
  firstByte: number | undefined;
  duration: number;
}

/** The parts of a request that are counted. */
type Ended = Pick<AskRecord, "queueMs" | "firstByteMs" | "durationMs" | "deltas" | "costNanos"> & {
  outcome: string;
  agent?: string | null | undefined;
  inputTokens?: number | undefined;
  outputTokens?: number | undefined;
};

export function endedRequest(record: Ended): EndedRequest {
  const { outcome, firstByteMs, inputTokens = 0, outputTokens = 0 } = record;
  return {
    failure: outcome === "ok" ? undefined : outcome,
    inputTokens,
    outputTokens,
    // What no agent had costs nothing.
    costNanos: record.costNanos ?? (record.agent == null ? 0 : null),
    streamedMs: streamedMsOf(record),
    queue: bucketOf(record.queueMs),
    firstByte: firstByteMs === undefined ? undefined : bucketOf(firstByteMs),
    duration: bucketOf(record.durationMs),
  };
}

/** An answer in one piece does not tell how fast its tokens came. */
function streamedMsOf({ outcome, deltas, firstByteMs, durationMs, outputTokens = 0 }: Ended) {
  if (outcome !== "ok" || deltas < 2 || firstByteMs === undefined || outputTokens === 0) return undefined;
  return Math.max(0, durationMs - firstByteMs);
}

/** The numbers of the requests that ended in a step. Tallies can be added. */
export class Tally {
  asks = 0;
  failed = 0;
  inputTokens = 0;
  outputTokens = 0;
  /** In billionths of the currency's unit. */
  costNanos = 0;
  /** The requests whose models had no price. */
  unpriced = 0;
  /** The output tokens of streamed answers, and how long these took after their first byte, in milliseconds. */
  streamedTokens = 0;
  streamedMs = 0;
  readonly queue = new Histogram();
  readonly firstByte = new Histogram();
  readonly duration = new Histogram();
  /** How many failed with each error code. */
  readonly errors = new Map<string, number>();
  /** How many requests were refused before they were queued, by reason. They are not among the asks. */
  readonly refusals = new Map<string, number>();
  /** The name that an agent gives itself. */
  label: string | undefined;

  note(ended: EndedRequest): void {
    const { failure, inputTokens, outputTokens, streamedMs, queue, firstByte, duration } = ended;
    this.asks++;
    this.inputTokens += inputTokens;
    this.outputTokens += outputTokens;
    this.costNanos += ended.costNanos ?? 0;
    if (ended.costNanos === null) this.unpriced++;
    if (streamedMs !== undefined) {
      this.streamedTokens += outputTokens;
      this.streamedMs += streamedMs;
    }
    this.queue.note(queue);
    if (firstByte !== undefined) this.firstByte.note(firstByte);
    this.duration.note(duration);
    if (failure === undefined) return;
    this.failed++;
    addCount(this.errors, failure, 1);
  }

  /** The output tokens per second of streamed answers, the mean of all tokens; null if there are none. */
  get tokensPerSecond(): number | null {
    const { streamedTokens, streamedMs } = this;
    return streamedMs > 0 ? Math.round((streamedTokens * 10_000) / streamedMs) / 10 : null;
  }

  noteRefusal(reason: string): void {
    addCount(this.refusals, reason, 1);
  }

  add(other: Tally): void {
    this.asks += other.asks;
    this.failed += other.failed;
    this.inputTokens += other.inputTokens;
    this.outputTokens += other.outputTokens;
    this.costNanos += other.costNanos;
    this.unpriced += other.unpriced;
    this.streamedTokens += other.streamedTokens;
    this.streamedMs += other.streamedMs;
    for (const name of ["queue", "firstByte", "duration"] as const) this[name].add(other[name]);
    for (const [code, count] of other.errors) addCount(this.errors, code, count);
    for (const [reason, count] of other.refusals) addCount(this.refusals, reason, count);
    this.label = other.label ?? this.label;
  }

  pack(): string {
    const { asks: a, failed: f, inputTokens: i, outputTokens: o, costNanos: c, unpriced: u, label: l } = this;
    const [q, b, d] = [this.queue.pack(), this.firstByte.pack(), this.duration.pack()];
    const [t, s] = [this.streamedTokens, Math.round(this.streamedMs)];
    const [e, r] = [Object.fromEntries(this.errors), Object.fromEntries(this.refusals)];
    return JSON.stringify({ a, f, i, o, c, u, t, s, l, q, b, d, e, ...(this.refusals.size > 0 && { r }) });
  }

  /** Adds the tally that `pack` returned. What another program wrote counts as nothing. */
  addPacked(text: string): void {
    const packed = (parseJson(text) ?? {}) as Record<string, unknown>;
    this.asks += countIn(packed["a"]);
    this.failed += countIn(packed["f"]);
    this.inputTokens += countIn(packed["i"]);
    this.outputTokens += countIn(packed["o"]);
    this.costNanos += nanosIn(packed["c"]);
    this.unpriced += countIn(packed["u"]);
    this.streamedTokens += countIn(packed["t"]);
    this.streamedMs += countIn(packed["s"]);
    if (typeof packed["l"] === "string") this.label = packed["l"];
    this.queue.addPacked(packed["q"]);
    this.firstByte.addPacked(packed["b"]);
    this.duration.addPacked(packed["d"]);
    for (const [code, count] of Object.entries(packed["e"] ?? {}))
      addCount(this.errors, code, countIn(count));
    for (const [reason, count] of Object.entries(packed["r"] ?? {}))
      addCount(this.refusals, reason, countIn(count));
  }
}

function addCount(counts: Map<string, number>, code: string, count: number): void {
  if (counts.has(code) || counts.size < CODES_MAX) counts.set(code, (counts.get(code) ?? 0) + count);
}

const nanosIn = (value: unknown): number =>
  typeof value === "number" && value > 0 && value <= NANOS_MAX ? Math.round(value) : 0;

const countIn = (value: unknown): number =>
  typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
