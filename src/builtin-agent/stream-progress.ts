import { parseJson } from "../json/parse.ts";
import type { Usage } from "../protocol/agent-v2.ts";
import { StreamEnd } from "../protocol/stream-end.ts";
import { mayHaveUsage, UsageReader } from "../protocol/token-usage.ts";

/** Collects what the events of a stream of chat completions, completions, responses or messages say. */
export class StreamProgress {
  readonly #end = new StreamEnd();
  readonly #usage = new UsageReader();

  get usage(): Usage | undefined {
    return this.#usage.usage;
  }

  /** Whether nothing of interest can follow. */
  get final(): boolean {
    return this.#end.final;
  }

  /** Whether the answer is complete even if nothing follows. */
  get complete(): boolean {
    return this.#end.complete;
  }

  /** Takes the data of the next event. */
  note(data: string): void {
    this.#end.note(data);
    if (mayHaveUsage(data)) this.#usage.note(parseJson(data));
  }
}
