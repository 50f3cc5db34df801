import { parseJson, textField } from "../../json/parse.ts";
import type { Log } from "../../log/log.ts";
import { ServerFrame } from "../../protocol/agent-v2.ts";

/** Returns undefined if the frame is malformed, or unknown because the server is newer. */
export function readFrame(data: unknown, log: Log): ServerFrame | undefined {
  const value = typeof data === "string" ? parseJson(data) : undefined;
  const { success, data: frame } = ServerFrame.safeParse(value);
  if (success) return frame;
  log.warn("frame_ignored", { type: textField(value, "type")?.slice(0, 64) });
  return undefined;
}
