import type { Clock } from "../../clock.ts";
import type { Log } from "../../log/log.ts";
import type { Relay } from "../../relay/relay.ts";
import type { ResponseObjectStore } from "../../store/store.ts";
import { createResponseMemory } from "../models/responses/memory.ts";
import { Background } from "./background.ts";
import { Conversations } from "./conversations.ts";
import { createHeldResponses } from "./nodes/held.ts";
import type { ResponsePeers } from "./nodes/peers.ts";
import { Recordings } from "./recordings.ts";
import { ResponseShelf } from "./shelf.ts";

interface ResponsesOptions {
  relay: Relay;
  clock: Clock;
  log: Log;
  newId: () => string;
  now: () => number;
  /** All memory for responses; with 0 nothing is kept, and nothing stored. */
  bytesMax: number;
  /** The most characters to which one request may refer. */
  recalledLengthMax: number;
  conversationLengthMax: number;
  /** How long a streamed response goes on after its caller's connection was cut. */
  graceMs: number;
  /** Undefined if responses are not stored. */
  store: ResponseObjectStore | undefined;
  /** The name of this process, and whether another one works on. */
  holder: string;
  isAlive: (holder: string) => boolean;
  /** Whether other servers use the store. */
  isShared: boolean;
  /** The other nodes of a cluster. */
  peers: ResponsePeers | undefined;
}

/** The parts of the memory that are not for responses and their items. */
const CONVERSATIONS_SHARE = 0.125;
const EVENTS_SHARE = 0.25;

export type Responses = ReturnType<typeof createResponses>;

/** Creates what keeps the responses, their events and the conversations of the Responses API. */
export function createResponses(options: ResponsesOptions) {
  const { bytesMax, recalledLengthMax, graceMs, now, clock, newId, isShared, isAlive, holder } = options;
  // What is not kept here is not looked for at other nodes.
  const peers = bytesMax > 0 ? options.peers : undefined;
  const store = bytesMax > 0 ? options.store : undefined;
  const shelf = new ResponseShelf({
    memory: createResponseMemory({ bytesMax, recalledLengthMax, now }),
    recordings: new Recordings({ clock, bytesMax: bytesMax * EVENTS_SHARE, graceMs }),
    ...{ store, isShared, peers, isAlive, now },
  });
  const conversations = new Conversations({
    bytesMax: bytesMax * CONVERSATIONS_SHARE,
    lengthMax: options.conversationLengthMax,
    ...{ store, newId, now },
  });
  const { relay, log } = options;
  const background = new Background({ shelf, conversations, now, relay, clock, log, newId, holder });
  return {
    ...{ shelf, conversations, background, isAlive, holder, peers },
    /** For the callers of other nodes. */
    held: createHeldResponses(shelf, background),
    /** Forgets what a user has in memory, and ends their responses. */
    forget(userId: string): void {
      shelf.forget(userId);
      conversations.forget(userId);
    },
  };
}
