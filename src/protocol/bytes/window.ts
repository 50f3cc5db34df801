/** How many bytes of one body may be on their way in one direction that the other side has not taken yet. */
export const WINDOW_BYTES = 1024 * 1024;

/** The most bytes of a body in one frame. Frames of other asks wait no longer than this many take. */
export const PIECE_BYTES_MAX = 64 * 1024;

/** Credit is given in such portions, so that few frames tell it. */
export const CREDIT_BYTES = WINDOW_BYTES / 4;

/** Bytes of the body of an ask, or of its answer. */
export interface Piece {
  ask: string;
  bytes: Uint8Array;
}
