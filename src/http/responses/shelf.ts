import type { Principal } from "../../principal.ts";
import type { ResponseObjectStore } from "../../store/store.ts";
import type { KeptResponse } from "../models/responses/kept-response.ts";
import { CHAIN_LENGTH_MAX, type ResponseMemory } from "../models/responses/memory.ts";
import type { EventLog } from "./event-log.ts";
import type { Recording } from "./recording.ts";
import type { Recordings } from "./recordings.ts";
import { decodeResponse, encodeResponse, type StoredResponse } from "./stored-text.ts";

interface ShelfParts {
  memory: ResponseMemory;
  recordings: Recordings;
  /** Undefined if responses are not stored. */
  store: ResponseObjectStore | undefined;
  /** Whether other servers change what is stored. */
  isShared: boolean;
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
}

/** The responses of all callers: in memory for hours, and stored for days if the operator wants that. */
export class ResponseShelf {
  constructor(private readonly parts: ShelfParts) {}

  /** Whether anything is kept. */
  get isOn(): boolean {
    return this.parts.memory.isOn;
  }

  get isStored(): boolean {
    return this.parts.store !== undefined;
  }

  /** Returns what one request may refer to; undefined if nothing is kept. */
  of(principal: Principal) {
    return this.parts.memory.of(principal);
  }

  /** Brings what is referred to from the store into memory. Undefined if there is nothing to wait for. */
  load(owner: string | null, references: References): Promise<void> | undefined {
    const { memory, store } = this.parts;
    if (!store || !memory.isOn) return undefined;
    return this.#load(owner, references, store);
  }

  async #load(
    owner: string | null,
    { previous, items }: References,
    store: ResponseObjectStore,
  ): Promise<void> {
    const { memory } = this.parts;
    let id = previous;
    for (let count = 0; id !== undefined && count < CHAIN_LENGTH_MAX; count++) {
      const response: KeptResponse | undefined =
        memory.find(owner, id) ?? (await this.#fromStore(owner, id, store));
      id = response?.previous;
    }
    for (const item of items) {
      if (memory.responseOfItem(owner, item) !== undefined) continue;
      const found = await store.findByItem(owner, item);
      const response = found && (await decodeResponse(found.body))?.response;
      if (response) memory.keep(owner, response);
    }
  }

  async #fromStore(
    owner: string | null,
    id: string,
    store: ResponseObjectStore,
  ): Promise<KeptResponse | undefined> {
    const found = await store.find(owner, id);
    const stored = found && (await decodeResponse(found.body));
    if (!stored || stored.running) return undefined;
    this.parts.memory.keep(owner, stored.response);
    return stored.response;
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

  /** Stores a response that is being made in the background, so that a restart does not lose it without a word. */
  keepRunning(owner: string | null, response: KeptResponse, holder: string): void {
    this.#put(owner, response, 0, () => ({ response, events: undefined, running: { holder } }));
  }

  /** Resolves once other servers can read what was kept. Undefined if there is nothing to wait for. */
  shared(): Promise<void> | undefined {
    return this.parts.store?.shared?.();
  }

  /** Returns a response of the owner; undefined if there is none. */
  async find(owner: string | null, id: string): Promise<FoundResponse | undefined> {
    const { memory, recordings, store, isShared } = this.parts;
    const recording = recordings.find(owner, id);
    if (recording?.response && !recording.isEnded)
      return { response: recording.response, events: recording.log.list(), running: undefined, recording };
    const kept = isShared && store ? undefined : memory.find(owner, id);
    const events = recording && !recording.isTooLong ? recording.log.list() : undefined;
    if (kept && (events || !store)) return { response: kept, events, running: undefined, recording };
    const stored = await store?.find(owner, id);
    const decoded = stored && (await decodeResponse(stored.body));
    if (decoded) return { ...decoded, recording };
    return kept && { response: kept, events, running: undefined, recording };
  }

  /** Forgets a response, and ends it if it is being made. False if the owner has none of this id. */
  async delete(owner: string | null, id: string): Promise<boolean> {
    const { memory, recordings, store } = this.parts;
    const recording = recordings.find(owner, id);
    if (recording) recording.isDeleted = true;
    recording?.signal.abort();
    recordings.delete(owner, id);
    const wasHere = memory.delete(owner, id) || recording !== undefined;
    const wasStored = (await store?.delete(owner, id)) ?? false;
    return store && this.parts.isShared ? wasStored || recording !== undefined : wasHere || wasStored;
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
