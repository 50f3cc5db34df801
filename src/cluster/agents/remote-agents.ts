import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { Relay } from "../../relay/relay.ts";
import type { Link, NodeInfo, Part } from "../part.ts";
import type { Directory } from "./directory.ts";
import { Questions } from "./questions.ts";

interface RemoteAgentsOptions {
  directory: Pick<Directory, "nodeOf">;
  /** The relay of this node, which is made later. */
  relay: () => Pick<Relay, "disconnect" | "resetCircuits">;
  link: Pick<Link, "send">;
  clock: Pick<Clock, "after">;
}

/** How long an administrator waits for another node. */
const ANSWER_MS = 1_000;

type Disconnected = ReturnType<Relay["disconnect"]>;
type Reset = ReturnType<Relay["resetCircuits"]>;

/** Carries out at other nodes what an administrator wants of their agents, as `Relay` does here. */
export class RemoteAgents implements Part {
  readonly #disconnects: Questions<{ done: Disconnected }>;
  readonly #resets: Questions<{ models: Reset }>;

  constructor(private readonly options: RemoteAgentsOptions) {
    this.#disconnects = new Questions(options.clock, ANSWER_MS);
    this.#resets = new Questions(options.clock, ANSWER_MS);
  }

  readonly frames: Part["frames"] = {
    disconnect: ({ id }, { n, agent, drain }) => {
      const done = this.options.relay().disconnect(agent, { drain }) ?? null;
      this.options.link.send(id, { kind: "disconnected", n, done });
    },
    disconnected: ({ id }, { n, done }) => this.#disconnects.answered(id, n, { done: done ?? undefined }),
    reset: ({ id }, { n, agent, model }) => {
      const models = this.options.relay().resetCircuits(agent, model) ?? null;
      this.options.link.send(id, { kind: "reset_done", n, models });
    },
    reset_done: ({ id }, { n, models }) => this.#resets.answered(id, n, { models: models ?? undefined }),
  };

  /**
   * Disconnects an agent of another node. Resolves as `Relay.disconnect` returns. Rejects with an `AppError` if its node
   * does not answer within a second.
   */
  async disconnect(agentId: string, { drain }: { drain: boolean }): Promise<Disconnected> {
    const { directory, link } = this.options;
    const nodeId = directory.nodeOf(agentId);
    if (nodeId === undefined) return undefined;
    const answer = await this.#disconnects.ask(nodeId, (n) =>
      link.send(nodeId, { kind: "disconnect", n, agent: agentId, drain }),
    );
    if (!answer) throw new AppError("node_unanswered");
    return answer.done;
  }

  /** Closes circuits of an agent of another node likewise; see `Relay.resetCircuits`. */
  async resetCircuits(agentId: string, model?: string): Promise<Reset> {
    const { directory, link } = this.options;
    const nodeId = directory.nodeOf(agentId);
    if (nodeId === undefined) return undefined;
    const answer = await this.#resets.ask(nodeId, (n) =>
      link.send(nodeId, { kind: "reset", n, agent: agentId, model }),
    );
    if (!answer) throw new AppError("node_unanswered");
    return answer.models;
  }

  lost({ id }: NodeInfo): void {
    this.#disconnects.lost(id);
    this.#resets.lost(id);
  }

  stop(): void {
    this.#disconnects.stop();
    this.#resets.stop();
  }
}
