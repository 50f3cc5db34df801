import type { ErrorCode } from "../../errors.ts";

/** What may come of any ask once it is let in. */
export const ASK_ERRORS: readonly ErrorCode[] = [
  ...(["body_too_large", "body_timeout"] as const),
  ...(["limit_requests", "limit_tokens", "limit_parallel"] as const),
  ...(["model_not_found", "model_not_allowed", "request_untranslatable"] as const),
  ...([
    "no_agent",
    "queue_full",
    "user_queue_full",
    "draining",
    "ping_failed",
    "conversation_agent_gone",
  ] as const),
  ...(["agent_send_failed", "agent_lost", "agent_timeout", "agent_failed", "agent_answer_invalid"] as const),
];
