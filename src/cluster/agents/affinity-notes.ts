import { type Principal, principalOf, userIdOf } from "../../principal.ts";
import {
  AFFINITY_KEYS_MAX,
  AFFINITY_NOTES_MAX,
  MODEL_LENGTH_MAX,
  NAME_LENGTH_MAX,
} from "../../protocol/node/bounds.ts";
import type { NodeAffinityNote } from "../../protocol/node/frames.ts";
import { coalesce, type Soon } from "../../relay/coalesce.ts";
import type { AffinityBook, AffinityKeys } from "../../relay/routing/affinity.ts";
import type { Link, Part } from "../part.ts";

interface AffinityNotesOptions {
  /** The book of the relay, which is made later. */
  book: () => Pick<AffinityBook, "learn">;
  link: Pick<Link, "nodes" | "sendAll" | "bufferedBytes">;
  soon: Soon;
}

/** The notes that one turn of the event loop sends. More are dropped, as they are only hints. */
const LENGTH_MAX = 8 * 1024;

/** Nothing is sent while more than this waits for a node. */
const BUFFERED_BYTES_MAX = 256 * 1024;

/**
 * Tells all nodes which agents have requests cached, so that the next turn of a conversation finds its agent from any
 * node. The users' hints stay apart there, too.
 */
export class AffinityNotes implements Part {
  #notes: NodeAffinityNote[] = [];
  #length = 0;
  readonly #sendSoon: () => void;

  constructor(private readonly options: AffinityNotesOptions) {
    this.#sendSoon = coalesce(options.soon, () => this.#send());
  }

  readonly frames: Part["frames"] = {
    affinity: (_, { notes }) => {
      for (const { user, model, keys, agent } of notes)
        this.options.book().learn(principalOf(user), model, { known: [], kept: keys }, agent);
    },
  };

  /** Tells the other nodes of a note that was made here. */
  tell(principal: Principal, model: string, { kept }: AffinityKeys, agent: string): void {
    if (this.options.link.nodes.size === 0 || this.#notes.length >= AFFINITY_NOTES_MAX) return;
    const user = userIdOf(principal);
    const note = { user, model, keys: [...kept], agent };
    const length = lengthOf(note);
    if (length === undefined || this.#length + length > LENGTH_MAX) return;
    this.#notes.push(note);
    this.#length += length;
    this.#sendSoon();
  }

  #send(): void {
    const { link } = this.options;
    const notes = this.#notes;
    this.#notes = [];
    this.#length = 0;
    for (const nodeId of link.nodes.keys()) if (link.bufferedBytes(nodeId) > BUFFERED_BYTES_MAX) return;
    link.sendAll({ kind: "affinity", notes });
  }
}

/** Returns undefined for a note that no frame can have. */
function lengthOf({ user, model, keys, agent }: NodeAffinityNote): number | undefined {
  const userLength = user?.length ?? 0;
  if (userLength > NAME_LENGTH_MAX || model.length > MODEL_LENGTH_MAX) return undefined;
  if (keys.length > AFFINITY_KEYS_MAX || keys.some((key) => key.length > NAME_LENGTH_MAX)) return undefined;
  return keys.reduce((sum, key) => sum + key.length, userLength + model.length + agent.length);
}
