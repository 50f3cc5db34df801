import { AppError } from "../../errors.ts";
import { type Principal, userIdOf } from "../../principal.ts";

/** How much of the room one principal may have, so that nobody locks the others out. */
const OWN_SHARE = 1 / 2;

/** The share of the memory that is the room by default. A body that is read and sent takes several times its size. */
const MEMORY_SHARE = 1 / 8;

/** Returns the usual room: a share of the memory that the container or the unit may have, or the machine has. */
export const defaultRoomBytes = (): number => process.constrainedMemory() * MEMORY_SHARE;

/**
 * Bounds what the bodies of all running requests have together. A body stays in memory until its request has ended,
 * as another agent may have to get it. If nothing else is there, a body fits whatever its size, as it could never be
 * sent otherwise.
 */
export class BodyRoom {
  #bytes = 0;
  readonly #ofPrincipals = new Map<string | null, number>();

  /** `setting` names the limit in the errors. */
  constructor(
    private readonly bytesMax: number,
    private readonly setting: RoomSetting = "--bodies-max",
  ) {}

  /** The bytes that all bodies have now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes room for more of a body that has `held` bytes. Throws bodies_full or user_bodies_full. */
  take(principal: Principal, held: number, bytes: number): void {
    const id = userIdOf(principal);
    const own = this.#ofPrincipals.get(id) ?? 0;
    if (own > held && own + bytes > this.bytesMax * OWN_SHARE) throw full("user_bodies_full", this.setting);
    if (this.#bytes > held && this.#bytes + bytes > this.bytesMax) throw full("bodies_full", this.setting);
    this.#ofPrincipals.set(id, own + bytes);
    this.#bytes += bytes;
  }

  give(principal: Principal, bytes: number): void {
    const id = userIdOf(principal);
    const own = (this.#ofPrincipals.get(id) ?? 0) - bytes;
    if (own > 0) this.#ofPrincipals.set(id, own);
    else this.#ofPrincipals.delete(id);
    this.#bytes -= bytes;
  }
}

/** The room that the body of one request has. */
export class BodyPlace {
  #bytes = 0;

  constructor(
    private readonly room: BodyRoom,
    private readonly principal: Principal,
  ) {}

  /** Takes room for further bytes. Throws bodies_full or user_bodies_full. */
  grow(bytes: number): void {
    this.room.take(this.principal, this.#bytes, bytes);
    this.#bytes += bytes;
  }

  /** To be called when the request has ended. Further calls do nothing. */
  leave(): void {
    if (this.#bytes > 0) this.room.give(this.principal, this.#bytes);
    this.#bytes = 0;
  }
}

type RoomSetting = "--bodies-max" | "--uploads-max";

function full(code: "bodies_full" | "user_bodies_full", setting: RoomSetting): AppError {
  const what = setting === "--bodies-max" ? "memory" : "room for files";
  const hint =
    code === "bodies_full"
      ? `The bodies of all running requests have as much ${what} as they may (${setting}).`
      : `The bodies of your running requests have half of the ${what} for bodies (${setting}).`;
  return new AppError(code, { hint: `${hint} Try again when some have ended.` });
}
