import { expect, test } from "bun:test";
import { readServerAddress } from "../../../src/builtin-agent/server/server-address.ts";
import { TransportChoice } from "../../../src/builtin-agent/server/transport-choice.ts";

test("two blocked WebSockets in a row decide for long-polling, and another failure between them does not", () => {
  const choice = new TransportChoice();
  expect([true, false, true].map((isBlocked) => choice.socketFailed(isBlocked))).toEqual([
    false,
    false,
    false,
  ]);
  expect(choice.isPolling).toBe(false);
  expect([choice.socketFailed(true), choice.isPolling]).toEqual([true, true]);
});

test("a server without long-polling brings the agent back to WebSockets at once, and one that had it after three failures", () => {
  const choice = new TransportChoice();
  for (const _ of [1, 2]) choice.socketFailed(true);
  expect([choice.pollingFailed(), choice.isPolling]).toEqual([true, false]);
  for (const _ of [1, 2]) choice.socketFailed(true);
  choice.pollingWorks();
  expect([1, 2].map(() => [choice.pollingFailed(), choice.isPolling])).toEqual([
    [false, true],
    [false, true],
  ]);
  expect([choice.pollingFailed(), choice.isPolling]).toEqual([false, false]);
});

test("WebSockets are tried again after a minute, and then after times that double up to an hour", () => {
  const choice = new TransportChoice();
  const minutes = () => choice.nextProbeMs() / 60_000;
  expect(Array.from({ length: 8 }, minutes)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  choice.socketWorks();
  expect(minutes()).toBe(1);
});

test("all connections to one server know the same", () => {
  const server = readServerAddress("localhost:8080");
  expect(TransportChoice.of(server)).toBe(TransportChoice.of(server));
  expect(TransportChoice.of(readServerAddress("localhost:8080"))).not.toBe(TransportChoice.of(server));
});
