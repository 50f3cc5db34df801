import { expect, test } from "bun:test";
import {
  countdownText,
  pairingCommand,
  pairingLink,
  secondsUntil,
} from "../../../../../src/dashboard/pages/agents/pair/pairing-text.ts";

test("the command and the link have the server's address and the code", () => {
  const server = { isSecure: true, host: "chat.example.com" };
  expect(pairingCommand(server, "7F4K-Q2PX")).toBe(
    "chatgpt-api-server agent https://chat.example.com --pair 7F4K-Q2PX",
  );
  expect(pairingLink(server, "7F4K-Q2PX")).toBe("https://chat.example.com/pair#7F4K-Q2PX");
  expect(pairingCommand({ isSecure: false, host: "[fd00::5]:8080" }, "7F4K-Q2PX")).toBe(
    "chatgpt-api-server agent 'http://[fd00::5]:8080' --pair 7F4K-Q2PX",
  );
});

test("the time that is left is shown in minutes and seconds, never below zero or above ten minutes", () => {
  expect([600, 65, 9, 0].map(countdownText)).toEqual(["10:00", "1:05", "0:09", "0:00"]);
  expect(secondsUntil(10_000, 0)).toBe(10);
  expect(secondsUntil(10_000, 9_001)).toBe(1);
  expect(secondsUntil(10_000, 10_000)).toBe(0);
  expect(secondsUntil(10_000, 20_000)).toBe(0);
  expect(secondsUntil(601_500, 0)).toBe(600);
});
