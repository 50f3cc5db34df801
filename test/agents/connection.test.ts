import { expect, test } from "bun:test";
import { closeText } from "../../src/agents/connection.ts";
import { CLOSE, type CloseReason } from "../../src/protocol/close.ts";

/** The bytes that RFC 6455 §5.5 leaves for the reason. */
const BYTES_MAX = 123;

test("every close reason fits into a close frame", () => {
  for (const reason of Object.keys(CLOSE) as CloseReason[])
    expect(Buffer.byteLength(closeText(reason))).toBeLessThanOrEqual(BYTES_MAX);
});

test("the detail follows the reason", () => {
  expect(closeText("hello_invalid")).toBe("invalid hello");
  expect(closeText("hello_invalid", "slots: expected number")).toBe("invalid hello: slots: expected number");
});

test("a detail that is too long is cut between two characters", () => {
  for (const detail of [
    "x".repeat(200),
    "é".repeat(200),
    "語".repeat(200),
    "👩".repeat(200),
    "\ud83d".repeat(200),
  ]) {
    const text = closeText("frame_invalid", detail);
    expect(text).toStartWith("invalid frame: ");
    expect(Buffer.byteLength(text)).toBeWithin(BYTES_MAX - 3, BYTES_MAX + 1);
    expect(text.isWellFormed()).toBe(true);
  }
});
