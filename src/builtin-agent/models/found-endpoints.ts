import type { Endpoint, Model } from "../../protocol/agent-v2.ts";
import { COUNT_ENDPOINT } from "../../protocol/endpoints.ts";
import type { NativeApi } from "./native-api.ts";
import { hasOllamaOwner, ollamaEndpoints } from "./ollama-endpoints.ts";

/** Sends an empty JSON object to an endpoint, below the base URL or at the root of the upstream. */
export type Probe = (endpoint: Endpoint, isAtRoot?: boolean) => Promise<Response>;

/** The endpoints of an upstream, which are looked for once. */
export class FoundEndpoints {
  #common: readonly Endpoint[] | undefined;
  /** Undefined also for an Ollama that has no model yet, as it is not recognized. */
  #ollama: readonly Endpoint[] | undefined;

  /** `chosen` are offered as they are; without any, `findCommon` looks for those that every upstream may have. */
  constructor(
    private readonly chosen: readonly Endpoint[],
    private readonly findCommon: (
      probe: Probe,
      api: NativeApi,
      listed: readonly Model[],
    ) => Promise<readonly Endpoint[]>,
  ) {}

  get areKnown(): boolean {
    return this.#common !== undefined;
  }

  /** Another upstream may come back when this one has gone. */
  forget(): void {
    this.#common = undefined;
    this.#ollama = undefined;
  }

  /** Returns the endpoints of the upstream. If none that answers seems to exist, chat completions are assumed. */
  async find(api: NativeApi, listed: readonly Model[], probe: Probe): Promise<readonly Endpoint[]> {
    if (this.chosen.length > 0) {
      this.#common = this.chosen;
      return this.chosen;
    }
    this.#common ??= await this.findCommon(probe, api, listed);
    if (hasOllamaOwner(listed)) this.#ollama ??= await ollamaEndpoints(api, probe);
    const found = [...this.#common, ...(this.#ollama ?? [])];
    return found.some((endpoint) => endpoint !== COUNT_ENDPOINT) ? found : ["chat/completions", ...found];
  }
}
