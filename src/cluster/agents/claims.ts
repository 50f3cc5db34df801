import type { Cancel, Clock } from "../../clock.ts";
import { mayTakeOver } from "../../relay/agent.ts";
import type { AgentIdentity } from "../../relay/types.ts";
import type { Link, NodeInfo, Part } from "../part.ts";
import type { Directory } from "./directory.ts";

interface ClaimsOptions {
  directory: Pick<Directory, "own" | "nodeOf">;
  link: Pick<Link, "send">;
  clock: Pick<Clock, "after">;
  newId: () => string;
}

/** Whether a newcomer may have an id: `unanswered` if the node that has it did not answer. */
export type ClaimVerdict = "free" | "in_use" | "unanswered";

/** How long a newcomer waits for other nodes, in all. */
const ANSWER_MS = 1_000;

interface OpenClaim {
  newcomer: AgentIdentity;
  /** The node that was asked. */
  nodeId: string;
  stopTimer: Cancel;
  settle(verdict: ClaimVerdict): void;
}

/**
 * Asks the node that has an id whether a newcomer here may take it over, and answers other nodes likewise. The answer
 * changes nothing: the agent that has the id leaves when its node learns that the newcomer has registered, see
 * `Directory`. So a newcomer that leaves before that does no harm.
 *
 * In the list of parts it comes after the directory.
 */
export class Claims implements Part {
  readonly #open = new Map<string, OpenClaim>();

  constructor(private readonly options: ClaimsOptions) {}

  readonly frames: Part["frames"] = {
    claim: ({ id: nodeId }, { claim, agent }) => {
      const { directory, link } = this.options;
      const holder = directory.own(agent.id);
      const ok = !holder || mayTakeOver(agent, holder);
      link.send(nodeId, { kind: "claimed", claim, ok });
    },
    claimed: ({ id: nodeId }, { claim, ok }) => {
      const open = this.#open.get(claim);
      if (open?.nodeId !== nodeId) return;
      if (ok) this.#goOn(claim, open);
      else open.settle("in_use");
    },
  };

  /** Returns undefined if the newcomer need not wait: no other node has its id, or it showed the secret of the id. */
  claim(newcomer: AgentIdentity): Promise<ClaimVerdict> | undefined {
    const { directory, clock, newId } = this.options;
    if (newcomer.resumed || directory.own(newcomer.id)) return undefined;
    const nodeId = directory.nodeOf(newcomer.id);
    if (nodeId === undefined) return undefined;
    const { promise, resolve } = Promise.withResolvers<ClaimVerdict>();
    const claim = newId();
    const settle = (verdict: ClaimVerdict) => {
      this.#open.delete(claim);
      open.stopTimer();
      resolve(verdict);
    };
    const stopTimer = clock.after(ANSWER_MS, () => settle("unanswered"));
    const open: OpenClaim = { newcomer, nodeId, stopTimer, settle };
    this.#open.set(claim, open);
    this.#ask(claim, open);
    return promise;
  }

  lost({ id }: NodeInfo): void {
    for (const [claim, open] of [...this.#open]) if (open.nodeId === id) this.#goOn(claim, open);
  }

  stop(): void {
    for (const { settle } of [...this.#open.values()]) settle("unanswered");
  }

  /** The node gives the id up, or is lost. Another one may have got it meanwhile. */
  #goOn(claim: string, open: OpenClaim): void {
    const { directory } = this.options;
    const { id } = open.newcomer;
    const nodeId = directory.own(id) ? undefined : directory.nodeOf(id);
    if (nodeId === undefined || nodeId === open.nodeId) {
      open.settle("free");
      return;
    }
    open.nodeId = nodeId;
    this.#ask(claim, open);
  }

  #ask(claim: string, { newcomer, nodeId }: OpenClaim): void {
    const { id, name, version, address, protocol, key } = newcomer;
    const agent = { id, name, version, address, protocol, key };
    this.options.link.send(nodeId, { kind: "claim", claim, agent });
  }
}
