import { EventSourceParserStream } from "eventsource-parser/stream";
import type { Random } from "../support/random.ts";
import type { Balancer } from "./balancer.ts";
import type { CallerEntry } from "./logs.ts";

/** An ask that takes longer than this is lost. */
const LOST_MS = 90_000;
/** A caller whose request failed waits before the next one, as an SDK does. */
const BACK_OFF_MS = 250;

interface Chunk {
  choices?: { delta?: { content?: string | null }; message?: { content?: string | null } }[];
  error?: { message?: string };
}

export interface CallersOptions {
  count: number;
  tokens: readonly string[];
  balancer: Balancer;
  random: Random;
  now: () => number;
}

/** Callers that each send one request after another, half of them streamed. */
export class Callers {
  readonly log: CallerEntry[] = [];
  readonly #options: CallersOptions;
  readonly #loops: Promise<void>[];
  #isOver = false;
  #asks = 0;

  constructor(options: CallersOptions) {
    this.#options = options;
    this.#loops = Array.from({ length: options.count }, () => this.#loop());
  }

  /** Sends no more requests, and resolves once those that run have ended. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  async #loop(): Promise<void> {
    const { random, tokens } = this.#options;
    while (!this.#isOver) {
      const isGood = await this.#ask(`ask-${++this.#asks}`, random.next() < 0.5, random.pick(tokens));
      if (!isGood) await Bun.sleep(BACK_OFF_MS);
    }
  }

  async #ask(ask: string, streamed: boolean, token: string): Promise<boolean> {
    const { balancer, now } = this.#options;
    const entry: CallerEntry = {
      ...{ ask, streamed, beganAt: now(), endedAt: undefined, sendings: [], status: undefined },
      ...{ text: "", ends: 0, error: undefined, isCut: false },
    };
    this.log.push(entry);
    const signal = AbortSignal.timeout(LOST_MS);
    const body = JSON.stringify({
      model: "m",
      stream: streamed,
      messages: [{ role: "user", content: `Please answer ${ask}.` }],
    });
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await balancer.send({ method: "POST", headers, body, signal }, entry.sendings, now);
    entry.status = response?.status;
    try {
      if (response) await read(response, entry);
      else entry.error = "no node answered";
    } catch (error) {
      entry.isCut = true;
      entry.error ??= streamed ? undefined : String(error);
    }
    if (!signal.aborted) entry.endedAt = now();
    return entry.ends > 0;
  }
}

async function read(response: Response, entry: CallerEntry): Promise<void> {
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  if (!isStream || !response.body) {
    const text = await response.text();
    const { choices, error } = JSON.parse(text) as Chunk;
    entry.text = choices?.[0]?.message?.content ?? "";
    if (response.ok && error === undefined) entry.ends++;
    else entry.error = text.slice(0, 300);
    return;
  }
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  for await (const { data } of events) {
    if (data === "[DONE]") entry.ends++;
    else noteChunk(JSON.parse(data) as Chunk, entry);
  }
  entry.isCut = entry.ends === 0 && entry.error === undefined;
}

function noteChunk({ choices, error }: Chunk, entry: CallerEntry): void {
  if (error) entry.error = error.message ?? "an error without a message";
  entry.text += choices?.[0]?.delta?.content ?? "";
}
