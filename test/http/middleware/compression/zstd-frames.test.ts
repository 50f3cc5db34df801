import { expect, test } from "bun:test";
import zlib from "node:zlib";
import { isWholeZstd } from "../../../../src/http/middleware/compression/zstd-frames.ts";
import { chooseSeed, createRandom } from "../../../support/random.ts";

const SIZES = [0, 1, 255, 256, 70_000, 300_000];
const frame = (size: number, options?: zlib.ZstdOptions) =>
  zlib.zstdCompressSync(Buffer.alloc(size, "text "), options);
const CHECKSUM = { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } };
/** A frame that decoders skip, of 3 bytes. */
const SKIPPABLE = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

test("whole frames of all sizes are whole, also several, with a checksum, and with one to skip", () => {
  for (const size of SIZES) {
    const bytes = frame(size);
    expect(isWholeZstd(bytes)).toBe(true);
    expect(isWholeZstd(frame(size, CHECKSUM))).toBe(true);
    expect(isWholeZstd(Buffer.concat([bytes, SKIPPABLE, bytes]))).toBe(true);
  }
});

const seed = chooseSeed();

test(`bytes that cannot be compressed, and a frame from a stream, are whole, seed ${seed}`, async () => {
  const noise = createRandom(seed).bytes(200_000);
  expect(isWholeZstd(zlib.zstdCompressSync(noise))).toBe(true);
  const stream = zlib.createZstdCompress();
  stream.end(noise);
  expect(isWholeZstd(Buffer.concat(await Array.fromAsync(stream)))).toBe(true);
});

test("a frame that is cut off anywhere, and one with anything behind it, is not whole", () => {
  for (const bytes of [frame(100), frame(100, CHECKSUM), frame(300_000), SKIPPABLE]) {
    for (let length = 0; length < bytes.byteLength; length++)
      expect([length, isWholeZstd(bytes.subarray(0, length))]).toEqual([length, false]);
    expect(isWholeZstd(Buffer.concat([bytes, Buffer.from([0])]))).toBe(false);
  }
});

test("other bytes are not whole frames", () => {
  for (const text of ["", "{}", "hello world, this is text"])
    expect(isWholeZstd(Buffer.from(text))).toBe(false);
  expect(isWholeZstd(zlib.gzipSync("text"))).toBe(false);
});
