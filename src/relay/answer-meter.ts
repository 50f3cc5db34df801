import { parseJson } from "../json/parse.ts";
import type { Usage } from "../protocol/agent-v2.ts";
import { textIn } from "../protocol/answer-text.ts";
import { AnswerScanner, type ToldUsage } from "../protocol/bytes/answer-scanner.ts";
import { CHAT_STREAM_END } from "../protocol/chat.ts";
import { estimateByLength, estimateTokens } from "../protocol/token-estimate.ts";
import { mayHaveUsage, UsageReader } from "../protocol/token-usage.ts";
import type { Delta } from "./types.ts";

/** How many of the first pieces are kept, to tell text from the JSON around it. */
const SAMPLES_MAX = 4;
/** Longer pieces are mostly text. */
const SAMPLE_LENGTH_MAX = 4096;

/** The events of responses and messages that have no new text. Some of them repeat all of it. */
const STRUCTURE = /^(response\.(?!.*\bdelta\b)|message_|content_block_st|ping|error)/;
const TYPE = /^\{"type":\s*"([\w.]+)"/;

/**
 * Measures a streamed answer for the case that its tokens are not reported. It runs for every delta, so it
 * only counts and keeps a few of them. They are read when somebody asks.
 */
export class AnswerMeter {
  #pieces = 0;
  #length = 0;
  readonly #samples: string[] = [];
  #first: string | undefined;
  /** The last two events, as the usage is in one of them. */
  #last = "";
  #beforeLast = "";
  /** The bytes of an answer in bytes; undefined for others. */
  #bytes: number | undefined;
  #scanner: AnswerScanner | undefined;

  /** Whether anything has come. */
  get hasBegun(): boolean {
    return this.#first !== undefined;
  }

  /** How many bytes of an answer in bytes came, and what they tell; undefined for other answers. */
  get inBytes(): { bytes: number; told: ToldUsage | undefined } | undefined {
    return this.#bytes === undefined ? undefined : { bytes: this.#bytes, told: this.#scanner?.end() };
  }

  note(delta: Delta): void {
    const { data, event } = delta;
    if (data === CHAT_STREAM_END) return;
    if (data === "" && (delta.head || delta.piece)) this.#noteBytes(delta);
    this.#first ??= data.length <= SAMPLE_LENGTH_MAX ? data : "";
    this.#beforeLast = this.#last;
    this.#last = data;
    if (isStructure(data, event)) return;
    this.#pieces++;
    this.#length += data.length;
    if (this.#samples.length < SAMPLES_MAX && data.length <= SAMPLE_LENGTH_MAX) this.#samples.push(data);
  }

  #noteBytes({ head, piece }: Delta): void {
    this.#bytes ??= 0;
    if (head) this.#scanner = AnswerScanner.for(head.contentType);
    if (!piece) return;
    this.#bytes += piece.bytes.byteLength;
    this.#scanner?.push(piece.bytes);
  }

  /** The usage that the events so far report. Its output tokens are 0 if only the first event has a usage. */
  get usage(): Usage | undefined {
    const last = [this.#beforeLast, this.#last].filter(mayHaveUsage);
    const reporting = [this.#first ?? "", ...last].filter(mayHaveUsage);
    if (reporting.length === 0) return undefined;
    const reader = new UsageReader();
    for (const data of reporting) reader.note(parseJson(data));
    const { usage } = reader;
    return usage && (last.length > 0 ? usage : { ...usage, completion_tokens: 0 });
  }

  /** Estimates the output tokens so far: by the length of the text, but one for each piece at least. */
  estimateTokens(): number {
    const texts = this.#samples.map((data) => ({ data, text: textIn(parseJson(data)) }));
    if (this.#samples.length === this.#pieces) return tokensOfTexts(texts.map(({ text }) => text));
    const sample = texts.find(({ text }) => text !== "");
    const around = sample
      ? sample.data.length - sample.text.length
      : Math.min(...texts.map(({ data }) => data.length), Number.MAX_SAFE_INTEGER);
    const length = this.#samples.length > 0 ? this.#length - this.#pieces * around : this.#length;
    return Math.max(this.#pieces, estimateByLength(length, sample?.text ?? ""));
  }
}

/** A piece without text begins or ends the answer, or is an error. */
function tokensOfTexts(texts: readonly string[]): number {
  const pieces = texts.filter((text) => text !== "").length;
  return Math.max(pieces, estimateTokens(texts.join("")));
}

/** Most streams have no names of events. Then the type may be the first field of the data. */
function isStructure(data: string, event: string | undefined): boolean {
  const type = event ?? (data.startsWith('{"type"') ? TYPE.exec(data)?.[1] : undefined);
  return type !== undefined && STRUCTURE.test(type);
}
