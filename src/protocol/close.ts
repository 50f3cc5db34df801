/**
 * Why the server closes an agent's socket. An agent may obey the range without knowing the code: 4000 to
 * 4499 mean come back (with back-off), 4500 to 4999 mean do not. Reasons are fixed and short, as RFC 6455
 * §5.5 leaves 123 bytes for them.
 */
export const CLOSE = {
  server_draining: { code: 4000, reason: "server is shutting down" },
  pong_missed: { code: 4001, reason: "no pong in time" },
  hello_missing: { code: 4002, reason: "no hello in time" },
  frames_bad: { code: 4003, reason: "too many frames nobody asked for" },
  hello_repeated: { code: 4005, reason: "a connection says hello once" },
  frame_invalid: { code: 4006, reason: "a frame of a known type is malformed" },
  frames_dropped: { code: 4004, reason: "frames are not read fast enough" },
  replaced: { code: 4500, reason: "another connection took this id" },
  hello_invalid: { code: 4501, reason: "the hello must carry a UUID as id" },
  id_in_use: { code: 4502, reason: "this id is in use from another address" },
  key_revoked: { code: 4503, reason: "the agent key was revoked" },
  disconnected: { code: 4504, reason: "disconnected by the administrator" },
} as const satisfies Record<string, { code: number; reason: string }>;

export type CloseReason = keyof typeof CLOSE;
