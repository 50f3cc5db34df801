import * as zlib from "node:zlib";
import { isWholeZstd } from "./zstd-frames.ts";

/** A content coding that the server decodes. */
interface Coding {
  decoder(bytes: Uint8Array): Decoder;
  /** Checks what the decoder does not. */
  isWhole?: (bytes: Uint8Array) => boolean;
}

interface Decoder extends AsyncIterable<Uint8Array> {
  end(bytes: Uint8Array): unknown;
  /** The bytes of its input that it has used. */
  readonly bytesWritten: number;
}

/** Larger than the default of 16 KB, as each piece is a journey to another thread. */
const OPTIONS = { chunkSize: 64 * 1024 };

/** Some clients send `deflate` without the header that the standard demands. */
const isZlib = ([first = 0]: Uint8Array): boolean => (first & 0x0f) === 8;

const GZIP: Coding = { decoder: () => zlib.createGunzip(OPTIONS) };

const CODINGS = new Map<string, Coding>([
  ["gzip", GZIP],
  ["x-gzip", GZIP],
  ["deflate", { decoder: (bytes) => (isZlib(bytes) ? zlib.createInflate : zlib.createInflateRaw)(OPTIONS) }],
  ["br", { decoder: () => zlib.createBrotliDecompress(OPTIONS) }],
  ["zstd", { decoder: () => zlib.createZstdDecompress(OPTIONS), isWhole: isWholeZstd }],
]);

/** The value of `Accept-Encoding` that lists what the server decodes. */
export const ACCEPTED_ENCODINGS = "gzip, deflate, br, zstd";

/** How many codings one body may have. Nobody needs more than one. */
const CODINGS_MAX = 3;

/**
 * Decodes a body. Calls `onOutput` after each piece, with the bytes that the present coding has decoded so far. What
 * that throws ends the work at once. Rejects for a body that is not, as a whole, in its codings.
 */
export type Decode = (bytes: Uint8Array, onOutput: (bytes: number) => void) => Promise<Uint8Array>;

/**
 * Returns the decoder of a body with this `Content-Encoding`; undefined if the body is not compressed, null if the
 * server cannot decode it.
 */
export function decoderOf(contentEncoding: string | null): Decode | null | undefined {
  if (contentEncoding === null) return undefined;
  const names = contentEncoding
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  if (names.length === 0) return undefined;
  const codings = names.map((name) => CODINGS.get(name));
  if (codings.length > CODINGS_MAX || !codings.every((coding) => coding !== undefined)) return null;
  // The last one was applied last (RFC 9110, 8.4).
  const inOrder = codings.reverse();
  return async (bytes, onOutput) => {
    let whole = bytes;
    for (const coding of inOrder) whole = await decoded(coding, whole, onOutput);
    return whole;
  };
}

async function decoded(
  { decoder: create, isWhole }: Coding,
  bytes: Uint8Array,
  onOutput: (bytes: number) => void,
): Promise<Uint8Array> {
  if (isWhole && !isWhole(bytes)) throw new Error("cut off");
  const decoder = create(bytes);
  decoder.end(bytes);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of decoder) {
    length += piece.byteLength;
    onOutput(length);
    pieces.push(piece);
  }
  // Most decoders ignore what follows the end. It would be lost without a word.
  if (decoder.bytesWritten < bytes.byteLength && create !== GZIP.decoder) throw new Error("more follows");
  return Buffer.concat(pieces);
}
