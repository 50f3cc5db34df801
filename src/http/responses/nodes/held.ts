import { AppError } from "../../../errors.ts";
import type { Background } from "../background.ts";
import type { EventSink } from "../recording.ts";
import type { ResponseShelf } from "../shelf.ts";

/** Returns what this node does with its responses for the callers of others. Each names the owner. */
export function createHeldResponses(shelf: ResponseShelf, background: Background) {
  return {
    find: shelf.held.bind(shelf),

    async cancel(owner: string | null, id: string): Promise<string | undefined> {
      const recording = shelf.recordingOf(owner, id);
      if (recording && background.cancel(recording)) await recording.ended();
      return shelf.held(owner, id, "response");
    },

    forget: (owner: string | null, id: string): Promise<boolean> => shelf.forgetDeleted(owner, id),
    deleted: () => shelf.deleted(),

    read(owner: string | null, id: string, after: number, sink: EventSink): () => void {
      const recording = shelf.recordingOf(owner, id);
      if (!recording) throw new AppError("response_unknown");
      return recording.read(sink, after);
    },
  };
}
