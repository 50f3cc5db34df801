/** The body of a response that is sent while its ask goes on. */
export interface ResponseStream {
  /** Resolves when the ask has ended, which may be long after the reader has left. */
  readonly finished: Promise<void>;
  /** Calls `run` right before the stream closes, or when its reader has left. */
  beforeClose(run: () => void): void;
}

export abstract class StreamedResponse extends Response {
  abstract readonly stream: ResponseStream;
}
