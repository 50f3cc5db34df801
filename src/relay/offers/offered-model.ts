import type { Model } from "../../protocol/agent-v2.ts";
import type { ModelDetails } from "../../protocol/model-details.ts";

/** A model that an agent offers now. */
export interface OfferedModel extends Pick<Model, "id" | "owned_by">, ModelDetails {
  /** The least that an agent reports. Any of the agents may get the ask. */
  context_length?: number | undefined;
  /** Whether an agent has it in memory; undefined if none tells. */
  loaded?: boolean | undefined;
  /** When it was first offered, in milliseconds since 1970. */
  offeredAt: number;
}
