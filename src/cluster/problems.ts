import type { Problem } from "../protocol/node/problems.ts";
import type { Link, NodeInfo, Part } from "./part.ts";

interface ProblemsOptions {
  link: Pick<Link, "self" | "nodes" | "send" | "sendAll">;
  /** A node has joined or is lost unexpectedly. `others`: how many others are in touch. */
  joined(name: string, others: number): void;
  lost(name: string, others: number): void;
}

/**
 * The problems of all nodes. Each node tells the others its own whenever they change, so that every node can show all, and
 * one of them sends the messages about them.
 */
export class ClusterProblems implements Part {
  readonly #others = new Map<string, readonly Problem[]>();
  #own: readonly Problem[] = [];
  #sent = "[]";

  constructor(private readonly options: ProblemsOptions) {}

  readonly frames: Part["frames"] = {
    problems: ({ id }, { problems }) => {
      this.#others.set(id, problems);
    },
  };

  /** Tells the other nodes what is wrong with this one, if that has changed. */
  publish(problems: readonly Problem[]): void {
    this.#own = problems;
    const asText = JSON.stringify(problems);
    if (asText === this.#sent) return;
    this.#sent = asText;
    this.options.link.sendAll({ kind: "problems", problems: [...problems] });
  }

  /** The problems of the other nodes, which are in touch. */
  others(): Problem[] {
    return [...this.#others.values()].flat();
  }

  /**
   * Whether this node sends the messages: it has run for longest of those that are not about to stop, so a node that
   * joins does not report anything twice.
   */
  get isSender(): boolean {
    const { self, nodes } = this.options.link;
    return [...nodes.values()].every((node) => isBefore(self, node));
  }

  joined(node: NodeInfo): void {
    this.options.link.send(node.id, { kind: "problems", problems: [...this.#own] });
    this.options.joined(node.name, this.options.link.nodes.size);
  }

  lost(node: NodeInfo): void {
    this.#others.delete(node.id);
    // One that drains leaves on purpose.
    if (!node.draining) this.options.lost(node.name, this.options.link.nodes.size);
  }
}

function isBefore(one: NodeInfo, other: NodeInfo): boolean {
  if (one.draining !== other.draining) return other.draining;
  return one.startedAt === other.startedAt ? one.id < other.id : one.startedAt < other.startedAt;
}
