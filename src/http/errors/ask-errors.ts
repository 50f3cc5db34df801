import type { ErrorCode } from "../../errors.ts";

/** The errors that any ask may cause once it is admitted. */
export const ASK_ERRORS = [
  ...["model_not_found", "model_not_allowed", "request_untranslatable"],
  ...["no_agent", "queue_full", "user_queue_full", "draining", "ping_failed", "conversation_agent_gone"],
  ...["agent_send_failed", "agent_lost", "agent_timeout", "agent_failed", "agent_answer_invalid"],
] as const satisfies readonly ErrorCode[];
