import { expect, test } from "bun:test";
import { noteUnread } from "../../../src/http/middleware/unread.ts";

const MEBIBYTE = 1024 * 1024;

test("when all streams keep more than 256 MB, those with the most are cut off until they keep less", () => {
  const cut: number[] = [];
  const streams = Array.from({ length: 40 }, (_, index) => {
    const stream = {
      cutOff() {
        cut.push(index);
        noteUnread(stream, 0);
      },
    };
    return stream;
  });
  for (const [index, stream] of streams.entries()) noteUnread(stream, (index < 32 ? 7 : 1) * MEBIBYTE);
  expect(cut).toEqual([]);
  const [, second, third] = streams;
  if (second) noteUnread(second, 8 * MEBIBYTE);
  if (third) noteUnread(third, 40 * MEBIBYTE);
  expect(cut).toEqual([2]);
  for (const stream of streams) noteUnread(stream, 8 * MEBIBYTE);
  expect(cut.length).toBe(1 + 8);
  for (const stream of streams) noteUnread(stream, 0);
});
