import type { Clock } from "../../clock.ts";
import { MINUTE_MS } from "../../durations.ts";
import { Recording } from "./recording.ts";

interface RecordingsOptions {
  clock: Pick<Clock, "now" | "after">;
  /** The most bytes of all events together. */
  bytesMax: number;
  graceMs: number;
}

/** How long the events of an answer are kept after its end. */
export const RECORDING_AGE_MS = 10 * MINUTE_MS;
/** One owner may use this part of all bytes. */
const OWNER_SHARE = 0.25;
/** About what a recording takes besides its events. */
const RECORDING_BYTES = 1000;

interface Owned {
  /** The one that began first comes first. */
  recordings: Map<string, Recording>;
  bytes: number;
}

/**
 * The events of the responses that are being made, or were lately, by owner and id. If they take too much memory, those
 * that have ended give way first, and then those that began first cannot be read any more.
 */
export class Recordings {
  /** The owner who was active longest ago comes first. */
  readonly #owners = new Map<string | null, Owned>();
  readonly #endedAt = new Map<Recording, { at: number; owner: string | null }>();
  #bytes = 0;

  constructor(private readonly options: RecordingsOptions) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** Begins a recording, which can be found once it has a name. */
  begin(owner: string | null): Recording {
    const { clock, graceMs } = this.options;
    return new Recording({
      ...{ clock, graceMs },
      onNamed: (recording) => this.#add(owner, recording),
      onGrown: (recording, bytes) => {
        if (this.#isHere(owner, recording)) this.#grow(owner, bytes);
      },
      onEnd: (recording) => {
        if (this.#isHere(owner, recording)) this.#endedAt.set(recording, { at: clock.now(), owner });
      },
    });
  }

  find(owner: string | null, id: string): Recording | undefined {
    this.#sweep();
    return this.#owners.get(owner)?.recordings.get(id);
  }

  /** Forgets a recording. */
  delete(owner: string | null, id: string): void {
    const owned = this.#owners.get(owner);
    const recording = owned?.recordings.get(id);
    if (!owned || !recording) return;
    owned.recordings.delete(id);
    this.#endedAt.delete(recording);
    this.#take(owned, recording.log.bytes + RECORDING_BYTES);
    if (owned.recordings.size === 0) this.#owners.delete(owner);
  }

  /** Ends all asks of a user, and forgets their recordings. */
  forget(userId: string): void {
    for (const [id, recording] of this.#owners.get(userId)?.recordings ?? []) {
      recording.isForgotten = true;
      recording.signal.abort();
      this.delete(userId, id);
    }
  }

  #isHere(owner: string | null, recording: Recording): boolean {
    return recording.id !== undefined && this.#owners.get(owner)?.recordings.get(recording.id) === recording;
  }

  #add(owner: string | null, recording: Recording): void {
    this.#sweep();
    const id = recording.id ?? "";
    // An upstream may name two answers alike: the last one counts.
    this.delete(owner, id);
    const owned = this.#owners.get(owner) ?? { recordings: new Map(), bytes: 0 };
    this.#owners.delete(owner);
    this.#owners.set(owner, owned);
    owned.recordings.set(id, recording);
    this.#grow(owner, RECORDING_BYTES + recording.log.bytes);
  }

  #grow(owner: string | null, bytes: number): void {
    const owned = this.#owners.get(owner);
    if (!owned) return;
    owned.bytes += bytes;
    this.#bytes += bytes;
    const { bytesMax } = this.options;
    while (owned.bytes > bytesMax * OWNER_SHARE && this.#giveWay(owner, owned));
    while (this.#bytes > bytesMax) {
      const found = [...this.#owners].some(([each, their]) => this.#giveWay(each, their));
      if (!found) return;
    }
  }

  /** Frees memory of the owner. False if there is none to be freed. */
  #giveWay(owner: string | null, owned: Owned): boolean {
    for (const [id, { isEnded }] of owned.recordings)
      if (isEnded) {
        this.delete(owner, id);
        return true;
      }
    for (const recording of owned.recordings.values())
      if (!recording.isTooLong) {
        this.#take(owned, recording.log.bytes);
        recording.drop();
        return true;
      }
    return false;
  }

  #take(owned: Owned, bytes: number): void {
    owned.bytes -= bytes;
    this.#bytes -= bytes;
  }

  /** Drops those that ended long ago. */
  #sweep(): void {
    const before = this.options.clock.now() - RECORDING_AGE_MS;
    for (const [recording, { at, owner }] of this.#endedAt) {
      if (at > before) return;
      this.delete(owner, recording.id ?? "");
    }
  }
}
