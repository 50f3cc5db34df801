/**
 * Why the server closes an agent's connection. The range of the code alone says what to do: 4000 to 4499 mean
 * reconnect (with back-off), 4500 to 4999 mean do not. The reasons are fixed, except that those of an invalid
 * hello or frame continue with the field at fault.
 */
export const CLOSE = {
  server_draining: { code: 4000, reason: "the server is shutting down" },
  pong_missed: { code: 4001, reason: "no pong in time" },
  hello_missing: { code: 4002, reason: "no hello in time" },
  frames_bad: { code: 4003, reason: "too many unexpected frames" },
  frames_dropped: { code: 4004, reason: "frames are not read fast enough" },
  hello_repeated: { code: 4005, reason: "a second hello on the same connection" },
  frame_invalid: { code: 4006, reason: "invalid frame" },
  id_unconfirmed: { code: 4007, reason: "the node that has this id does not answer" },
  replaced: { code: 4500, reason: "another connection took over this id" },
  hello_invalid: { code: 4501, reason: "invalid hello" },
  hello_id_invalid: { code: 4501, reason: "the hello must carry a UUID as id" },
  id_in_use: { code: 4502, reason: "this id is in use by another agent" },
  key_revoked: { code: 4503, reason: "the agent key was revoked" },
  disconnected: { code: 4504, reason: "disconnected by the administrator" },
} as const satisfies Record<string, { code: number; reason: string }>;

export type CloseReason = keyof typeof CLOSE;
