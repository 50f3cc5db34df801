import type { Clock } from "../../clock.ts";
import { DELETIONS_MAX, NAME_LENGTH_MAX, RESPONSE_ID_LENGTH_MAX } from "../../protocol/node/bounds.ts";
import type { FrameOf } from "../../protocol/node/frames.ts";
import type { Link, NodeInfo, Part } from "../part.ts";
import { Questions } from "../questions.ts";
import type { HeldResponses, RemoteReading, ResponsePart } from "./held-responses.ts";
import { ReadersHere } from "./readers-here.ts";
import { Readings } from "./readings.ts";

interface ClusterResponsesOptions {
  link: Pick<Link, "nodes" | "send">;
  clock: Pick<Clock, "after">;
  /** The responses of this node, which are made later. */
  held: () => HeldResponses;
}

/** A response of another node, as JSON. */
interface FoundThere {
  nodeId: string;
  text: string;
}

/** No caller waits longer for another node. */
const ANSWER_MS = 1_000;
/** An answer ends after its cancellation, and is stored. */
const CANCEL_MS = 5_000;
/** Beyond these, nothing is asked. */
const QUESTIONS_MAX = 10_000;
const PARTS: ReadonlySet<string> = new Set<ResponsePart>(["response", "item", "events"]);

/**
 * Finds, reads, cancels and deletes responses at the node that has them, wherever their callers ask. Another node that is
 * lost, silent or of an older version has none.
 */
export class ClusterResponses implements Part {
  readonly #found: Questions<{ response?: string | undefined }>;
  readonly #deleted: Questions<boolean>;
  readonly #readings: Readings;
  readonly #readers: ReadersHere;

  constructor(private readonly options: ClusterResponsesOptions) {
    const { clock } = options;
    this.#found = new Questions(clock, ANSWER_MS);
    this.#deleted = new Questions(clock, ANSWER_MS);
    this.#readings = new Readings(options);
    this.#readers = new ReadersHere(options);
  }

  readonly frames: Part["frames"] = {
    find_response: (from, frame) => this.#find(from, frame),
    cancel_response: (from, frame) => void this.#cancel(from, frame),
    response_found: ({ id }, { n, response }) => this.#found.answered(id, n, { response }),
    delete_response: (from, frame) => void this.#delete(from, frame),
    response_deleted: ({ id }, { n, had }) => this.#deleted.answered(id, n, had),
    deleted_responses: (_, { responses }) => {
      for (const [owner, id] of responses) void this.#forget(owner, id);
    },
    read_response: (from, frame) => this.#readers.begin(from, frame),
    response_events: (from, frame) => this.#readings.take(from, frame),
    response_end: (from, frame) => this.#readings.end(from, frame),
    response_ack: (from, frame) => this.#readers.confirm(from, frame),
    leave_response: (from, frame) => this.#readers.leave(from, frame),
  };

  /** How many responses of other nodes are read here, and how many of this one at others. */
  get size(): { readings: number; readers: number } {
    return { readings: this.#readings.size, readers: this.#readers.size };
  }

  /** Resolves with the response, from the given node or from any; with undefined if none has the part. */
  async find(
    owner: string | null,
    id: string,
    { part = "response", nodeId }: { part?: ResponsePart; nodeId?: string | undefined } = {},
  ): Promise<FoundThere | undefined> {
    if (!isShort(owner, id)) return undefined;
    const { link } = this.options;
    const ask = async (to: string): Promise<FoundThere | undefined> => {
      const found = await this.#found.ask(to, (n) =>
        link.send(to, { kind: "find_response", n, user: owner, id, part }),
      );
      return found?.response === undefined ? undefined : { nodeId: to, text: found.response };
    };
    return firstOf(this.#nodes(nodeId).map(ask));
  }

  /** Cancels a response. Resolves with it once it has ended; with undefined if the node does not say so in time. */
  async cancel(owner: string | null, id: string, nodeId: string): Promise<string | undefined> {
    const { link } = this.options;
    const [to] = this.#nodes(nodeId);
    if (to === undefined || !isShort(owner, id)) return undefined;
    const send = (n: number) => link.send(to, { kind: "cancel_response", n, user: owner, id });
    return (await this.#found.ask(to, send, CANCEL_MS))?.response;
  }

  /** Lets all nodes forget a response. Resolves with whether one of them had it, once all have answered. */
  async delete(owner: string | null, id: string): Promise<boolean> {
    if (!isShort(owner, id)) return false;
    const { link } = this.options;
    const asked = this.#nodes().map((to) =>
      this.#deleted.ask(to, (n) => link.send(to, { kind: "delete_response", n, user: owner, id })),
    );
    return (await Promise.all(asked)).includes(true);
  }

  /** Reads the events of a response at a node; see `Readings.open`. */
  read(owner: string | null, id: string, nodeId: string, after: number): Promise<RemoteReading> {
    return this.#readings.open(nodeId, owner, id, after);
  }

  joined(node: NodeInfo): void {
    // What was deleted while the nodes were not in touch.
    const deleted = [...this.options.held().deleted()].map(([owner, id]): [string | null, string] => [
      owner,
      id,
    ]);
    for (let at = 0; at < deleted.length; at += DELETIONS_MAX) {
      const responses = deleted.slice(at, at + DELETIONS_MAX).filter(([owner, id]) => isShort(owner, id));
      this.options.link.send(node.id, { kind: "deleted_responses", responses });
    }
    this.#readings.joined(node);
  }

  lost(node: NodeInfo): void {
    this.#found.lost(node.id);
    this.#deleted.lost(node.id);
    this.#readings.lost(node);
    this.#readers.lost(node);
  }

  stop(): void {
    this.#found.stop();
    this.#deleted.stop();
    this.#readings.stop();
  }

  /** Returns the nodes to ask: the given one if it is in touch, or all. */
  #nodes(nodeId?: string): string[] {
    const { nodes } = this.options.link;
    if (this.#found.size + this.#deleted.size > QUESTIONS_MAX) return [];
    if (nodeId === undefined) return [...nodes.keys()];
    return nodes.has(nodeId) ? [nodeId] : [];
  }

  #find(from: NodeInfo, { n, user, id, part }: FrameOf<"find_response">): void {
    const response = isPart(part) ? this.options.held().find(user, id, part) : undefined;
    this.#answer(from, n, response);
  }

  async #cancel(from: NodeInfo, { n, user, id }: FrameOf<"cancel_response">): Promise<void> {
    this.#answer(from, n, await this.options.held().cancel(user, id));
  }

  #answer(to: NodeInfo, n: number, response: string | undefined): void {
    const frame = { kind: "response_found", n } as const;
    this.options.link.send(to.id, response === undefined ? frame : { ...frame, response });
  }

  async #delete(from: NodeInfo, { n, user, id }: FrameOf<"delete_response">): Promise<void> {
    const had = await this.#forget(user, id);
    if (had !== undefined) this.options.link.send(from.id, { kind: "response_deleted", n, had });
  }

  /** Resolves with undefined if the store cannot be asked: what is in memory is forgotten anyway. */
  async #forget(owner: string | null, id: string): Promise<boolean | undefined> {
    try {
      return await this.options.held().forget(owner, id);
    } catch {
      return undefined;
    }
  }
}

const isPart = (part: string): part is ResponsePart => PARTS.has(part);

/** Whether a frame can name the response. */
const isShort = (owner: string | null, id: string): boolean =>
  id.length <= RESPONSE_ID_LENGTH_MAX && (owner?.length ?? 0) <= NAME_LENGTH_MAX;

/** Resolves with the first value that is there; with undefined if there is none. */
function firstOf<Value>(values: readonly Promise<Value | undefined>[]): Promise<Value | undefined> {
  const { promise, resolve } = Promise.withResolvers<Value | undefined>();
  for (const value of values)
    void value.then((found) => {
      if (found !== undefined) resolve(found);
    });
  void Promise.all(values).then(() => resolve(undefined));
  return promise;
}
