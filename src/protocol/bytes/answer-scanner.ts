import { field, parseJson } from "../../json/parse.ts";
import type { Usage } from "../agent-v2.ts";
import { UsageReader } from "../token-usage.ts";
import { MemberScanner } from "./member-scanner.ts";

/** The usage that an upstream reports with its answer. */
export interface ToldUsage {
  /** Undefined without tokens. */
  tokens: Usage | undefined;
  /** Seconds of audio; undefined if it tells none. */
  audioSeconds: number | undefined;
  images: number;
}

const WANTED = { values: new Set(["usage", "duration", "type"]), list: "data" };

/** The last event of an image. https://developers.openai.com/api/reference/resources/images/generation-streaming-events */
const IMAGE_DONE = /^image_(generation|edit)\.completed$/;

const LINE_END = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const DATA = "data:";

/** Reads the usage in an answer in bytes, as it passes: in JSON, or in the events of a stream. */
export class AnswerScanner {
  readonly #tokens = new UsageReader();
  #audioSeconds: number | undefined;
  #images = 0;
  #document = new MemberScanner(WANTED);
  readonly #isStream: boolean;
  /** The beginning of the line, up to the length of `DATA`. */
  #line = "";

  private constructor(isStream: boolean) {
    this.#isStream = isStream;
  }

  /** Returns a scanner for answers of this type; undefined if they tell no usage. */
  static for(contentType: string): AnswerScanner | undefined {
    const isStream = /^text\/event-stream\b/i.test(contentType);
    return isStream || /^application\/json\b/i.test(contentType) ? new AnswerScanner(isStream) : undefined;
  }

  push(bytes: Uint8Array): void {
    if (this.#isStream) this.#readLines(bytes);
    else this.#document.push(bytes);
  }

  /** The answer has ended, or broken off. Returns what it told. To be called more than once at will. */
  end(): ToldUsage {
    this.#endDocument();
    return { tokens: this.#tokens.usage, audioSeconds: this.#audioSeconds, images: this.#images };
  }

  #readLines(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) {
      const found = bytes.indexOf(LINE_END, at);
      const end = found === -1 ? bytes.byteLength : found;
      this.#readLine(bytes.subarray(at, end));
      if (found !== -1) this.#endLine();
      at = end + 1;
    }
  }

  #readLine(bytes: Uint8Array): void {
    const missing = DATA.length - this.#line.length;
    if (missing > 0) this.#line += String.fromCharCode(...bytes.subarray(0, missing));
    if (this.#line === DATA) this.#document.push(bytes.subarray(Math.max(missing, 0)));
  }

  /** An empty line ends an event. */
  #endLine(): void {
    if (this.#line === "" || this.#line.charCodeAt(0) === CARRIAGE_RETURN) this.#endDocument();
    this.#line = "";
  }

  #endDocument(): void {
    const { values, elements } = this.#document;
    this.#document = new MemberScanner(WANTED);
    const value = (name: string) => parseJson(values.get(name) ?? "");
    const type = value("type");
    const isImage = typeof type === "string" && IMAGE_DONE.test(type);
    this.note({ usage: value("usage"), duration: value("duration") }, elements + Number(isImage));
  }

  /** Takes a document whose list `data` has so many elements. */
  note(document: unknown, images = lengthOf(field(document, "data"))): void {
    this.#tokens.note(document);
    this.#audioSeconds = secondsIn(document) ?? this.#audioSeconds;
    this.#images += images;
  }

  /** Returns what a whole answer tells. */
  static read(answer: unknown): ToldUsage {
    const scanner = new AnswerScanner(false);
    scanner.note(answer);
    return scanner.end();
  }
}

const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0);

/**
 * Returns the seconds of audio in `usage` (`seconds` at OpenAI, `prompt_audio_seconds` at Mistral), or the `duration` of
 * a verbose transcription, which some upstreams write as a text.
 */
function secondsIn(document: unknown): number | undefined {
  const usage = field(document, "usage");
  const duration = field(document, "duration");
  const told = [
    field(usage, "type") === "duration" ? field(usage, "seconds") : undefined,
    field(usage, "prompt_audio_seconds"),
    typeof duration === "string" && duration !== "" ? Number(duration) : duration,
  ];
  return told.find((seconds) => typeof seconds === "number" && Number.isFinite(seconds) && seconds >= 0) as
    | number
    | undefined;
}
