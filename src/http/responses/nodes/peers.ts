import { AppError } from "../../../errors.ts";
import type { ServerEvent } from "../../middleware/event-stream.ts";
import { isState } from "../../models/responses/events.ts";
import { type KeptResponse, responseIn } from "../../models/responses/kept-response.ts";
import type { Readable } from "../read-recording.ts";
import { numberOf } from "../recording.ts";

/** The events of a response at another node. Errors come as `AppError`. */
interface PeerReading {
  read(sink: {
    sendAll(events: readonly ServerEvent[]): void;
    end(error?: AppError): void;
    /** The node is gone, and an answer that had not ended with it. */
    lost(): void;
    /** Returns the number of the last event that came. */
    after(): number;
  }): () => void;
}

export interface PeerFound {
  nodeId: string;
  /** The text that `writeHeld` has written. */
  text: string;
}

/** The other nodes of a cluster, as far as they have responses in memory. No call waits longer than some seconds. */
export interface ResponsePeers {
  /** Resolves with the response from the given node, or from any; with undefined if none has it, or answers. */
  find(
    owner: string | null,
    id: string,
    options?: { part?: "response" | "item" | "events"; nodeId?: string | undefined },
  ): Promise<PeerFound | undefined>;
  /** Resolves with the response once it has ended; with undefined if the node does not say so. */
  cancel(owner: string | null, id: string, nodeId: string): Promise<string | undefined>;
  /** Lets all nodes forget a response. Resolves with whether one of them had it. */
  delete(owner: string | null, id: string): Promise<boolean>;
  /** Rejects with the `AppError` of the node, or with `response_elsewhere` if it does not answer. */
  read(owner: string | null, id: string, nodeId: string, after: number): Promise<PeerReading>;
}

/** The reason of a response that was lost with its server. */
export const LOST = {
  code: "server_error",
  message: "The server stopped before the response was complete. Send the request again.",
};

/** Returns what has the events of a response at another node. If that node is lost, it ends with a failed response. */
export function readableAt(reading: PeerReading, response: KeptResponse): Readable {
  return {
    read(sink, after) {
      let last = after;
      let state = response.answer;
      return reading.read({
        sendAll(events) {
          for (const event of events) {
            last = numberOf(event) ?? last + 1;
            if (isState(event)) state = event.data;
          }
          sink.sendAll(events);
        },
        end: () => sink.end(),
        lost() {
          const failed = { ...responseIn(state), id: response.id, status: "failed", error: LOST };
          const type = "response.failed";
          const data = JSON.stringify({ type, sequence_number: last + 1, response: failed });
          sink.sendAll([{ event: type, data }]);
          sink.end();
        },
        after: () => last,
      });
    },
  };
}

export const elsewhere = (): AppError => new AppError("response_elsewhere");
