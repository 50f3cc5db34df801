import { expect, test } from "bun:test";
import { HeldBytes } from "../../../src/cluster/exchange/held-bytes.ts";
import { RemoteUpload } from "../../../src/cluster/exchange/remote-upload.ts";
import { CREDIT_BYTES, PIECE_BYTES_MAX, WINDOW_BYTES } from "../../../src/protocol/bytes/window.ts";
import type { NodeFrame } from "../../../src/protocol/node/frames.ts";
import { rejectionOf } from "../../support/sdks.ts";

function uploadOf(bytes: number) {
  const credits: number[] = [];
  const contentType = "multipart/form-data; boundary=b";
  const upload = new RemoteUpload({ contentType, bytes, giveCredit: (count) => void credits.push(count) });
  return { upload, credits };
}

/** Returns a piece of its own, as who reads one frees it. */
const newPiece = () => new Uint8Array(PIECE_BYTES_MAX);

test("a body from another node is read as it comes, once, and gives credit for what was taken", async () => {
  const { upload, credits } = uploadOf(2 * WINDOW_BYTES);
  const reader = upload.open();
  const waiting = reader.read();
  expect(upload.push(newPiece())).toBe(true);
  expect(await waiting).toHaveLength(PIECE_BYTES_MAX);
  let taken = PIECE_BYTES_MAX;
  for (let sent = PIECE_BYTES_MAX; sent < 2 * WINDOW_BYTES; sent += PIECE_BYTES_MAX) {
    expect(upload.push(newPiece())).toBe(true);
    taken += (await reader.read())?.byteLength ?? 0;
  }
  expect([taken, await reader.read()]).toEqual([2 * WINDOW_BYTES, undefined]);
  expect(credits).toEqual(Array.from({ length: 7 }, () => CREDIT_BYTES));
});

test("a body with more bytes than were announced, or than there was credit for, breaks off", async () => {
  const long = uploadOf(10).upload;
  expect(long.push(new Uint8Array(11))).toBe(false);
  expect(await rejectionOf(long.open().read())).toBeInstanceOf(Error);
  const fast = uploadOf(10 * WINDOW_BYTES).upload;
  for (let sent = 0; sent < WINDOW_BYTES; sent += PIECE_BYTES_MAX) expect(fast.push(newPiece())).toBe(true);
  expect(fast.push(newPiece())).toBe(false);
  expect(await rejectionOf(fast.open().read())).toBeInstanceOf(Error);
});

test("a body whose node is lost breaks off for who waits for it, and one is not read twice", async () => {
  const lost = uploadOf(10).upload;
  const waiting = lost.open().read();
  lost.end();
  expect(await rejectionOf(waiting)).toBeInstanceOf(Error);
  const { upload } = uploadOf(10);
  upload.open();
  expect(await rejectionOf(upload.open().read())).toBeInstanceOf(Error);
});

test("the bytes of an answer count as taken when the node of the caller says so, in their order", () => {
  const sent: NodeFrame[] = [];
  const bytes = new HeldBytes("s", (frame) => sent.push(frame) > 0, undefined);
  const taken: number[] = [];
  bytes.head({ status: 200, contentType: "audio/mpeg" });
  for (const [index, size] of [10, 20, 30].entries())
    bytes.piece({ bytes: new Uint8Array(size).fill(200 + index), taken: () => void taken.push(size) });
  expect(sent.map(({ kind }) => kind)).toEqual(["head", "bytes", "bytes", "bytes"]);
  expect(sent[1]).toEqual({ kind: "bytes", slot: "s", data: new Uint8Array(10).fill(200) });
  bytes.credit(29);
  expect(taken).toEqual([10]);
  bytes.credit(1);
  expect(taken).toEqual([10, 20]);
  bytes.credit(Number.MAX_SAFE_INTEGER);
  expect(taken).toEqual([10, 20, 30]);
  expect(bytes.push({ kind: "bytes", slot: "s", data: Uint8Array.of(1) })).toBe(false);
});
