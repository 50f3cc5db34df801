import { shellQuote } from "../../../../shell-quote.ts";
import { type ServerAddress, urlOf } from "../join/server-address.ts";

/** Returns the command that pairs the built-in agent. */
export function pairingCommand(server: ServerAddress, code: string): string {
  return ["chatgpt-api-server", "agent", urlOf(server), "--pair", code].map(shellQuote).join(" ");
}

/** Returns the link of a code, which the built-in agent takes for its server's address. */
export function pairingLink(server: ServerAddress, code: string): string {
  return `${urlOf(server)}/pair#${code}`;
}

/** Returns a time of some minutes, such as `9:05`. */
export function countdownText(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** How long the server accepts a code. */
const VALID_S = 600;

/**
 * Returns how many seconds of a code's time are left, rounded up; 0 afterwards. Both times are in milliseconds. The server's
 * time may be that of a second ago, or of longer if the live view is away.
 */
export function secondsUntil(end: number, now: number): number {
  return Math.min(VALID_S, Math.max(0, Math.ceil((end - now) / 1000)));
}
