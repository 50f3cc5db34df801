import type { System } from "./guides/guide.ts";

/** Returns the system that a browser says it runs on. */
export function systemOf(userAgent: string): System {
  if (/windows/i.test(userAgent)) return "windows";
  return /mac os|iphone|ipad/i.test(userAgent) ? "macos" : "linux";
}
