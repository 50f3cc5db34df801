import type { AgentKey, AgentKeys } from "../auth/agent-keys.ts";
import { AppError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import { admit, type RegistrationRules, type RequestSource, shownKey } from "./admission.ts";
import type { SocketLease, SocketLimit } from "./socket-limit.ts";

/** A request to register, or one within a session of long-polling. */
export interface AgentRequest {
  headers: Headers;
  from: RequestSource;
  /** The key in the path. */
  pathKey: string | undefined;
}

interface EntranceOptions {
  rules: RegistrationRules;
  keys: Pick<AgentKeys, "find">;
  limit: SocketLimit;
  log: Log;
}

export interface Entered {
  /** The key that admitted the agent; undefined if none was needed. */
  key: AgentKey | undefined;
  address: string;
  lease: SocketLease;
}

/** Decides which agents may register, and counts their connections. */
export class Entrance {
  #isClosed = false;

  constructor(private readonly options: EntranceOptions) {}

  /** Lets no more agents in. */
  close(): void {
    this.#isClosed = true;
  }

  /**
   * Lets an agent in, for which `check` throws nothing. Rejects with an `AppError` that says why it is refused, and
   * logs that.
   */
  async enter<Checked>(request: AgentRequest, check: () => Checked): Promise<Entered & { checked: Checked }> {
    const { address } = request.from;
    try {
      if (this.#isClosed) throw new AppError("draining");
      const key = admit(await this.#registration(request), this.options.rules);
      const checked = check();
      const lease = this.options.limit.enter(address, key !== undefined);
      return { key, address: address ?? "", lease, checked };
    } catch (error) {
      if (error instanceof AppError)
        this.options.log.warn("agent_refused", { address, reason: error.code, hint: error.hint });
      throw error;
    }
  }

  /** Throws an `AppError` if an agent without a key may not send this request. */
  checkKeyless({ headers, from }: AgentRequest): void {
    admit({ headers, ...from, key: undefined }, this.options.rules);
  }

  async #registration({ headers, from, pathKey }: AgentRequest) {
    const shown = shownKey(headers, pathKey);
    if (shown === undefined) return { headers, ...from, key: undefined };
    return { headers, ...from, key: (await this.options.keys.find(shown)) ?? ("unknown" as const) };
  }
}
