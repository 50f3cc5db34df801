import type { Cancel, Clock } from "../../../clock.ts";
import { isAnswerStatus } from "../../../protocol/agent-v2.ts";
import type { AnswerHead, AnswerPiece } from "../../../relay/types.ts";
import { commonHeaders } from "../../middleware/headers.ts";
import { type ResponseStream, StreamedResponse } from "../../middleware/streamed-response.ts";

/** A caller who takes nothing for this long, although something is there, counts as gone. */
const STALL_MS = 60_000;

/** Matches what a browser shows, but never runs. Anything else is a download. */
const HARMLESS =
  /^(audio\/[\w.+-]+|video\/[\w.+-]+|image\/(?!svg)[\w.+-]+|text\/(plain|vtt|event-stream)|application\/(json|octet-stream|x-ndjson|x-subrip))\s*(;[ -~]*)?$/i;
const OTHER = "application/octet-stream";

const BROKEN_OFF = new Error("the answer broke off");

/**
 * The answer of an ask in bytes, as it comes. Its response exists from the head of the answer on: until then, the
 * request may still fail with a status of its own. A piece counts as taken when the caller's connection has taken it.
 */
export class ByteStream implements ResponseStream {
  readonly #start = Promise.withResolvers<ByteStreamResponse>();
  readonly #end = Promise.withResolvers<void>();
  readonly #sent = Promise.withResolvers<void>();
  /** Resolves with the response when the answer begins. */
  readonly started = this.#start.promise;
  readonly finished = this.#end.promise;
  isStarted = false;
  readonly #pieces: AnswerPiece[] = [];
  #controller: ReadableStreamDirectController | undefined;
  #isWriting = false;
  #isEnded = false;
  #isClosed = false;
  #isBroken = false;
  #beforeClose: (() => void)[] = [];
  #stopStall: Cancel = () => {};

  /** `onGone` is called when the caller has left, or takes nothing any more. */
  constructor(
    private readonly clock: Clock,
    private readonly onGone: () => void,
  ) {}

  begin({ status, contentType }: AnswerHead): void {
    this.isStarted = true;
    const body = new ReadableStream<Uint8Array>({
      type: "direct",
      pull: (controller) => {
        this.#controller = controller;
        if (this.#isBroken) controller.close(BROKEN_OFF);
        else this.#write();
        return this.#sent.promise;
      },
      cancel: () => this.#leave(),
    });
    const headers = commonHeaders({
      "content-type": HARMLESS.test(contentType) ? contentType : OTHER,
      "cache-control": "no-cache",
      // nginx would collect the bytes otherwise.
      "x-accel-buffering": "no",
    });
    const init = { status: isAnswerStatus(status) ? status : 200, headers };
    this.#start.resolve(new ByteStreamResponse(this, body, init));
  }

  push(piece: AnswerPiece): void {
    if (this.#isClosed) return;
    this.#pieces.push(piece);
    this.#write();
  }

  /** The answer is complete. */
  end(): void {
    this.#end.resolve();
    this.#isEnded = true;
    this.#write();
  }

  /** The request is answered in another way. */
  discard(): void {
    this.#end.resolve();
    this.#close();
  }

  /** The answer breaks off: the connection does, too, so that the caller does not take it for whole. */
  fail(): void {
    this.#end.resolve();
    if (this.#isClosed) return;
    this.#isBroken = true;
    this.#controller?.close(BROKEN_OFF);
    this.#close();
  }

  beforeClose(run: () => void): void {
    if (this.#isClosed) run();
    else this.#beforeClose.push(run);
  }

  #write(): void {
    const controller = this.#controller;
    while (controller && !this.#isWriting && !this.#isClosed) {
      const piece = this.#pieces.shift();
      if (!piece) {
        if (this.#isEnded) this.#endBody(controller);
        return;
      }
      const written = controller.write(piece.bytes);
      controller.flush();
      if (typeof written === "number") piece.taken();
      else this.#wait(written, piece);
    }
  }

  /** The connection is full. */
  #wait(written: Promise<unknown>, piece: AnswerPiece): void {
    this.#isWriting = true;
    this.#stopStall = this.clock.after(STALL_MS, () => {
      this.#controller?.close(new Error("read too slowly"));
      this.#leave();
    });
    const goOn = () => {
      this.#stopStall();
      this.#isWriting = false;
      piece.taken();
      this.#write();
    };
    written.then(goOn, goOn);
  }

  #endBody(controller: ReadableStreamDirectController): void {
    this.#close();
    controller.end();
  }

  #leave(): void {
    if (this.#isClosed) return;
    this.#close();
    this.onGone();
  }

  #close(): void {
    this.#isClosed = true;
    this.#pieces.length = 0;
    this.#stopStall();
    for (const run of this.#beforeClose) run();
    this.#beforeClose = [];
    this.#sent.resolve();
  }
}

export class ByteStreamResponse extends StreamedResponse {
  constructor(
    readonly stream: ByteStream,
    body: ReadableStream<Uint8Array>,
    init: ResponseInit,
  ) {
    super(body, init);
  }
}
