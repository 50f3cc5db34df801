import { type Principal, userIdOf } from "../../principal.ts";
import type { ResponseObjectStore, StoredObject } from "../../store/store.ts";
import type { KeptResponse } from "../models/responses/kept-response.ts";
import {
  CHAIN_LENGTH_MAX,
  type OwnResponses,
  type ResponseMemory,
  type WhyNot,
} from "../models/responses/memory.ts";
import { Deletions } from "./deletions.ts";
import type { EventLog } from "./event-log.ts";
import type { PeerFound, ResponsePeers } from "./nodes/peers.ts";
import type { Recording } from "./recording.ts";
import type { Recordings } from "./recordings.ts";
import {
  decodeResponse,
  encodeResponse,
  type Held,
  readHeld,
  type StoredResponse,
  writeHeld,
} from "./stored-text.ts";

interface ShelfParts {
  memory: ResponseMemory;
  recordings: Recordings;
  /** Undefined if responses are not stored. */
  store: ResponseObjectStore | undefined;
  /** Whether other servers change what is stored. */
  isShared: boolean;
  /** The other nodes of a cluster. */
  peers: ResponsePeers | undefined;
  /** Whether another process of this name works on. */
  isAlive: (holder: string) => boolean;
  now: () => number;
}

/** The things that a request refers to. */
export interface References {
  previous: string | undefined;
  items: readonly string[];
}

/** A response that was found, and its events as far as they are kept. */
export interface FoundResponse extends StoredResponse {
  /** Present while it is being made, and for a while after. */
  recording: Recording | undefined;
  /** The event that has its present state, if it is being made. */
  now: string | undefined;
  /** The other node that has it, if it was found there. */
  nodeId: string | undefined;
}

/** Once this many items were not found, the rest are not looked for. */
const MISSING_MAX = 64;

/** The responses of all callers: in memory for hours, and stored for days if the operator wants that. */
export class ResponseShelf {
  readonly #deletions: Deletions;

  constructor(private readonly parts: ShelfParts) {
    this.#deletions = new Deletions(parts.now);
  }

  /** Whether anything is kept. */
  get isOn(): boolean {
    return this.parts.memory.isOn;
  }

  get isStored(): boolean {
    return this.parts.store !== undefined;
  }

  /** Returns what one request may refer to; undefined if nothing is kept. */
  of(principal: Principal) {
    const { memory, recordings } = this.parts;
    const own = memory.of(principal);
    const owner = userIdOf(principal);
    if (own) own.isBeingMade = (id) => recordings.find(owner, id)?.isEnded === false;
    return own;
  }

  /** Brings what is referred to into memory, and tells `known` what has not ended. Undefined if nothing is elsewhere. */
  load(owner: string | null, references: References, known: OwnResponses): Promise<void> | undefined {
    const { memory, store, peers } = this.parts;
    if ((!store && !peers) || !memory.isOn) return undefined;
    return this.#load(owner, references, known);
  }

  async #load(owner: string | null, { previous, items }: References, known: OwnResponses): Promise<void> {
    const { memory } = this.parts;
    const notEnded = new Map<string, WhyNot>();
    known.notEnded = notEnded;
    let id = previous;
    for (let count = 0; id !== undefined && count < CHAIN_LENGTH_MAX; count++) {
      const response: KeptResponse | undefined =
        memory.find(owner, id) ?? (await this.#fetch(owner, id, notEnded));
      id = response?.previous;
    }
    let missing = 0;
    for (const item of items) {
      if (memory.responseOfItem(owner, item) !== undefined) continue;
      if (!(await this.#fetchByItem(owner, item))) missing++;
      if (missing === MISSING_MAX) return;
    }
  }

  async #fetch(
    owner: string | null,
    id: string,
    notEnded: Map<string, WhyNot>,
  ): Promise<KeptResponse | undefined> {
    const { store, peers, isAlive } = this.parts;
    const { count } = this.#deletions;
    const stored = await decoded(store?.find(owner, id));
    const { running } = stored ?? {};
    // One whose process has stopped never ends.
    if (running) notEnded.set(id, isAlive(running.holder) ? "being_made" : "failed");
    if (running) return undefined;
    const there = stored ? undefined : heldIn(await peers?.find(owner, id));
    if (there?.isRunning) notEnded.set(id, "being_made");
    const response = stored?.response ?? endedIn(there);
    return this.#keepFetched(owner, response, count);
  }

  async #fetchByItem(owner: string | null, item: string): Promise<KeptResponse | undefined> {
    const { store, peers } = this.parts;
    const { count } = this.#deletions;
    const stored = await decoded(store?.findByItem(owner, item));
    const response = stored?.response ?? endedIn(heldIn(await peers?.find(owner, item, { part: "item" })));
    return this.#keepFetched(owner, response, count);
  }

  /** Keeps a response in memory, unless it was deleted while it was on its way. */
  #keepFetched(
    owner: string | null,
    response: KeptResponse | undefined,
    deletions: number,
  ): KeptResponse | undefined {
    if (!response || this.#deletions.isSince(owner, response.id, deletions)) return undefined;
    this.parts.memory.keep(owner, response);
    return response;
  }

  /** Begins to record a streamed response. */
  begin(owner: string | null): Recording {
    return this.parts.recordings.begin(owner);
  }

  /** Keeps a response in memory only. */
  remember(owner: string | null, response: KeptResponse): void {
    this.parts.memory.keep(owner, response);
  }

  /** Keeps a response that has ended, with its events if it was streamed. */
  keep(
    owner: string | null,
    response: KeptResponse,
    { log, inMemory = true }: { log?: EventLog | undefined; inMemory?: boolean } = {},
  ): void {
    if (inMemory) this.parts.memory.keep(owner, response);
    this.#put(owner, response, log?.bytes ?? 0, () => ({
      ...{ response, events: log?.list(), running: undefined },
    }));
  }

  /** Stores a response that is being made in the background. Resolves once it is written, or could not be. */
  async keepRunning(owner: string | null, response: KeptResponse, holder: string): Promise<void> {
    this.#put(owner, response, 0, () => ({ response, events: undefined, running: { holder } }));
    await this.parts.store?.written();
  }

  /** Resolves once other servers can read what was kept. Undefined if there is nothing to wait for. */
  shared(): Promise<void> | undefined {
    return this.parts.store?.shared?.();
  }

  /** Returns a response of the owner, wherever it is; undefined if there is none. */
  async find(owner: string | null, id: string): Promise<FoundResponse | undefined> {
    const here = await this.#findHere(owner, id);
    const { peers } = this.parts;
    if (!peers || (here && !here.running)) return here;
    const there = await peers.find(owner, id, { nodeId: here?.running?.holder });
    const held = there && readHeld(there.text);
    if (!held) return here;
    const { response, now, isRunning } = held;
    const running = isRunning ? { holder: there.nodeId } : undefined;
    return { response, now, running, events: undefined, recording: undefined, nodeId: there.nodeId };
  }

  async #findHere(owner: string | null, id: string): Promise<FoundResponse | undefined> {
    const { memory, recordings, store, isShared } = this.parts;
    const recording = recordings.find(owner, id);
    if (recording?.response && !recording.isEnded) {
      const { response, log, state } = recording;
      return {
        response,
        events: log.list(),
        now: state?.data,
        running: undefined,
        recording,
        nodeId: undefined,
      };
    }
    const kept = isShared && store ? undefined : memory.find(owner, id);
    const events = recording && !recording.isTooLong ? recording.log.list() : undefined;
    const known = { events, now: undefined, running: undefined, recording, nodeId: undefined };
    if (kept && (events || !store)) return { ...known, response: kept };
    const stored = await decoded(store?.find(owner, id));
    if (stored) return { ...known, ...stored };
    return kept && { ...known, response: kept };
  }

  /** Resolves with the node that has the events of a response which has ended. */
  async eventsAt(owner: string | null, id: string): Promise<string | undefined> {
    return (await this.parts.peers?.find(owner, id, { part: "events" }))?.nodeId;
  }

  recordingOf(owner: string | null, id: string): Recording | undefined {
    return this.parts.recordings.find(owner, id);
  }

  /** Returns a response in the memory of this server, as other nodes get it; undefined if it does not have the part. */
  held(owner: string | null, id: string, part: "response" | "item" | "events"): string | undefined {
    const { memory, recordings } = this.parts;
    const responseId = part === "item" ? memory.responseOfItem(owner, id) : id;
    if (responseId === undefined) return undefined;
    const recording = recordings.find(owner, responseId);
    if (part === "events" && (!recording || recording.isTooLong)) return undefined;
    const isRunning = recording !== undefined && !recording.isEnded;
    const { response, state } = recording ?? {};
    const ended = response && state && { ...response, answer: state.data };
    const kept = isRunning ? response : (memory.find(owner, responseId) ?? ended);
    return kept && writeHeld({ response: kept, now: isRunning ? state?.data : undefined, isRunning });
  }

  /** Forgets a response, at all nodes, and ends it if it is being made. False if the owner has none of this id. */
  async delete(owner: string | null, id: string): Promise<boolean> {
    const { peers, store } = this.parts;
    const [wasThere, wasHere] = await Promise.all([peers?.delete(owner, id), this.#forget(owner, id)]);
    const wasStored = (await store?.delete(owner, id)) ?? false;
    const had = wasThere === true || wasHere || wasStored;
    if (had) this.#deletions.note(owner, id);
    return had;
  }

  /** Forgets a response which another node deletes. Resolves with whether it was here. */
  async forgetDeleted(owner: string | null, id: string): Promise<boolean> {
    const isMade = this.parts.recordings.find(owner, id) !== undefined;
    const had = await this.#forget(owner, id);
    // What is about to be stored must not come after the deletion.
    if (isMade) await this.parts.store?.delete(owner, id);
    if (had) this.#deletions.note(owner, id);
    return had;
  }

  /** The responses that were deleted lately. */
  deleted(): Iterable<readonly [owner: string | null, id: string]> {
    return this.#deletions.list();
  }

  /** Forgets what is in memory. False if nothing is, or nothing but a copy of what is stored. */
  async #forget(owner: string | null, id: string): Promise<boolean> {
    const { memory, recordings, store, isShared } = this.parts;
    this.#deletions.begin(owner, id);
    const recording = recordings.find(owner, id);
    if (recording) recording.isDeleted = true;
    recording?.signal.abort();
    recordings.delete(owner, id);
    const wasKept = memory.delete(owner, id);
    return recording !== undefined || (wasKept && !(store && isShared));
  }

  /** Forgets the responses of a user that are in memory. The store deletes them with the user. */
  forget(userId: string): void {
    this.parts.memory.forget(userId);
    this.parts.recordings.forget(userId);
  }

  #put(owner: string | null, response: KeptResponse, bytes: number, stored: () => StoredResponse): void {
    this.parts.store?.put({
      ...{ owner, id: response.id, at: response.at, length: response.length + bytes },
      encode: () => encodeResponse(stored()),
    });
  }
}

async function decoded(
  found: Promise<StoredObject | undefined> | undefined,
): Promise<StoredResponse | undefined> {
  const object = await found;
  return object && decodeResponse(object.body);
}

const heldIn = (found: PeerFound | undefined): Held | undefined => found && readHeld(found.text);

/** Returns the response of another node, if it has ended. */
const endedIn = (held: Held | undefined): KeptResponse | undefined =>
  held && !held.isRunning ? held.response : undefined;
