import type { AgentKeys } from "../auth/agent-keys.ts";
import { AppError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import type { LinkedAgent, ServerLink } from "../protocol/agent-link.ts";
import { InProcessConnection } from "./in-process.ts";
import type { SocketLimit } from "./socket-limit.ts";
import type { V2Options } from "./v2.ts";

interface LinkedAgentsOptions extends V2Options {
  keys: Pick<AgentKeys, "find">;
  log: Log;
}

/** The address of every agent in this process. */
const ADDRESS = "127.0.0.1";

/** The connections of the agents in this process. They count as sockets, and have the main key. */
export class LinkedAgents {
  readonly #open = new Set<InProcessConnection>();
  #hasStopped = false;

  constructor(
    private readonly options: LinkedAgentsOptions,
    private readonly limit: SocketLimit,
  ) {}

  /** Links an agent. Rejects with an `AppError` if there is no room, or the server stops. */
  async link(agent: LinkedAgent, mainKey: string): Promise<ServerLink> {
    const { keys, log } = this.options;
    const key = await keys.find(mainKey);
    if (this.#hasStopped) throw new AppError("draining");
    try {
      const lease = this.limit.enter(ADDRESS, true);
      const admitted = {
        key: typeof key === "object" ? key : undefined,
        address: ADDRESS,
        lease,
        transport: "in-process",
      } as const;
      const onClosed = () => this.#open.delete(connection);
      const connection = new InProcessConnection(this.options, admitted, agent, onClosed);
      this.#open.add(connection);
      return connection.link;
    } catch (error) {
      const { code, hint } = error as AppError;
      log.warn("agent_refused", { address: ADDRESS, reason: code, hint });
      throw error;
    }
  }

  announceDrain(reconnectMs: number): void {
    for (const connection of this.#open) connection.announceDrain(reconnectMs);
  }

  /** Links no more agents. */
  stop(): void {
    this.#hasStopped = true;
  }
}
