import type { AppError } from "../../errors.ts";

/** An event of a response: its name, which may be empty, and its data. */
export interface ResponseEvent {
  event: string;
  data: string;
}

/** Takes the events of a response. */
export interface ResponseSink {
  sendAll(events: readonly ResponseEvent[]): void;
  /** No event follows. */
  end(): void;
}

/** The part of a response that is looked for: see `find_response`. */
export type ResponsePart = "response" | "item" | "events";

/** The responses of this node. `null` stands for the administrator, and nobody gets those of another. */
export interface HeldResponses {
  /** Returns the response as JSON; undefined if this node does not have the part. */
  find(owner: string | null, id: string, part: ResponsePart): string | undefined;
  /** Resolves with the response once it has ended; with undefined if this node does not work on it. */
  cancel(owner: string | null, id: string): Promise<string | undefined>;
  /** Forgets a response, and ends it if it is being made. Resolves with whether it was here. */
  forget(owner: string | null, id: string): Promise<boolean>;
  /**
   * Passes the events after this number to the sink, and then those to come. Returns a function that ends it. Throws
   * an `AppError` if they are not here.
   */
  read(owner: string | null, id: string, after: number, sink: ResponseSink): () => void;
  /** The responses that were deleted lately, the last ones last. */
  deleted(): Iterable<readonly [owner: string | null, id: string]>;
}

/** The reader of a response at another node. */
export interface RemoteSink {
  sendAll(events: readonly ResponseEvent[]): void;
  /** No event follows. With an error there are more, which cannot be read here. */
  end(error?: AppError): void;
  /** The node is gone, and an answer that had not ended with it. No event follows. */
  lost(): void;
  /** Returns the number after which to go on: that of the last event that came. */
  after(): number;
}

/** The events of a response at another node, which can be read. */
export interface RemoteReading {
  /** Passes the events to the sink. Returns a function that ends it. Call it once. */
  read(sink: RemoteSink): () => void;
}
