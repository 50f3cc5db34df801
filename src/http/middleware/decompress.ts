import { promisify } from "node:util";
import * as zlib from "node:zlib";

export type Decode = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>;

const gunzip = promisify<Uint8Array, zlib.ZlibOptions, Uint8Array>(zlib.gunzip);
const inflate = promisify<Uint8Array, zlib.ZlibOptions, Uint8Array>(zlib.inflate);
const inflateRaw = promisify<Uint8Array, zlib.ZlibOptions, Uint8Array>(zlib.inflateRaw);

/** Decodes `deflate`, which some clients send without the header that the standard demands. */
const inflateAny: Decode = (bytes, options) =>
  ((bytes[0] ?? 0) & 0x0f) === 8 ? inflate(bytes, options) : inflateRaw(bytes, options);

const DECODERS = new Map<string, Decode>([
  ["gzip", gunzip],
  ["x-gzip", gunzip],
  ["deflate", inflateAny],
  ["br", promisify<Uint8Array, zlib.BrotliOptions, Uint8Array>(zlib.brotliDecompress)],
  ["zstd", promisify<Uint8Array, zlib.ZstdOptions, Uint8Array>(zlib.zstdDecompress)],
]);

/** The value of `Accept-Encoding` that lists what the server decodes. */
export const ACCEPTED_ENCODINGS = "gzip, deflate, br, zstd";

/** Returns the decoder of a body; undefined if the body is not compressed, null if nobody here can decode it. */
export function decoderOf(contentEncoding: string | null): Decode | null | undefined {
  if (contentEncoding === null) return undefined;
  const names = contentEncoding
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  const codings = names.filter((name) => name !== "" && name !== "identity");
  const [coding, ...others] = codings;
  if (coding === undefined) return undefined;
  return (others.length === 0 && DECODERS.get(coding)) || null;
}

/** Decoding ends as soon as the output is over the limit. */
export const isOverLimit = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
