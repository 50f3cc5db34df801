import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { AgentAction, AgentActionResult } from "../../protocol/node/list-frames.ts";
import type { Relay } from "../../relay/relay.ts";
import type { Link, NodeInfo, Part } from "../part.ts";
import { Questions } from "../questions.ts";
import type { Directory } from "./directory.ts";

type ActingRelay = Pick<Relay, "disconnect" | "resetCircuits" | "askToUpdate">;

interface RemoteAgentsOptions {
  directory: Pick<Directory, "nodeOf">;
  /** The relay of this node, which is made later. */
  relay: () => ActingRelay;
  link: Pick<Link, "send">;
  clock: Pick<Clock, "after">;
}

/** How long an administrator waits for another node. */
const ANSWER_MS = 1_000;

type ResultOf<Kind extends AgentAction["kind"]> = Extract<AgentActionResult, { kind: Kind }>;

/** Carries out at other nodes what an administrator wants of their agents, as `Relay` does here. */
export class RemoteAgents implements Part {
  readonly #questions: Questions<{ result: AgentActionResult | null }>;

  constructor(private readonly options: RemoteAgentsOptions) {
    this.#questions = new Questions(options.clock, ANSWER_MS);
  }

  readonly frames: Part["frames"] = {
    act: ({ id }, { n, agent, action }) => {
      const result = act(this.options.relay(), agent, action) ?? null;
      this.options.link.send(id, { kind: "acted", n, result });
    },
    acted: ({ id }, { n, result }) => this.#questions.answered(id, n, { result }),
  };

  /**
   * Disconnects an agent of another node. Resolves as `Relay.disconnect` returns. Rejects with an `AppError` if its node
   * does not answer within a second.
   */
  async disconnect(agentId: string, { drain }: { drain: boolean }) {
    return (await this.#act(agentId, { kind: "disconnect", drain }))?.state;
  }

  /** Closes circuits of an agent of another node likewise; see `Relay.resetCircuits`. */
  async resetCircuits(agentId: string, model?: string) {
    return (await this.#act(agentId, { kind: "reset", model }))?.models;
  }

  /** Asks an agent of another node to update itself likewise; see `Relay.askToUpdate`. */
  async askToUpdate(agentId: string) {
    return (await this.#act(agentId, { kind: "update" }))?.state;
  }

  async #act<Kind extends AgentAction["kind"]>(
    agent: string,
    action: Extract<AgentAction, { kind: Kind }>,
  ): Promise<ResultOf<Kind> | undefined> {
    const { directory, link } = this.options;
    const nodeId = directory.nodeOf(agent);
    if (nodeId === undefined) return undefined;
    const answer = await this.#questions.ask(nodeId, (n) =>
      link.send(nodeId, { kind: "act", n, agent, action }),
    );
    // A result of another kind does not belong to this question.
    if (!answer || (answer.result && answer.result.kind !== action.kind))
      throw new AppError("node_unanswered");
    return (answer.result as ResultOf<Kind> | null) ?? undefined;
  }

  lost({ id }: NodeInfo): void {
    this.#questions.lost(id);
  }

  stop(): void {
    this.#questions.stop();
  }
}

/** Does what an administrator at another node wants. Returns undefined if the agent has left. */
function act(relay: ActingRelay, agent: string, action: AgentAction): AgentActionResult | undefined {
  switch (action.kind) {
    case "disconnect": {
      const state = relay.disconnect(agent, action);
      return state && { kind: "disconnect", state };
    }
    case "reset": {
      const models = relay.resetCircuits(agent, action.model);
      return models && { kind: "reset", models };
    }
    case "update": {
      const state = relay.askToUpdate(agent);
      return state && { kind: "update", state };
    }
  }
}
