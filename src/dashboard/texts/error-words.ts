import { type TextKey, text } from "./texts.ts";

/** The errors by which requests fail or are refused, in a few words. */
const WORDS: Readonly<Record<string, TextKey>> = {
  address_busy: "reason.address_busy",
  agent_answer_invalid: "reason.agent_answer_invalid",
  agent_failed: "reason.agent_failed",
  agent_lost: "reason.agent_lost",
  agent_send_failed: "reason.agent_send_failed",
  agent_timeout: "reason.agent_timeout",
  ask_invalid: "reason.ask_invalid",
  bodies_full: "reason.bodies_full",
  body_invalid: "reason.body_invalid",
  body_timeout: "reason.body_timeout",
  body_too_large: "reason.body_too_large",
  caller_gone: "reason.caller_gone",
  conversation_agent_gone: "reason.conversation_agent_gone",
  conversation_full: "reason.conversation_full",
  conversation_unknown: "reason.conversation_unknown",
  database_away: "reason.database_away",
  draining: "reason.draining",
  encoding_unsupported: "reason.encoding_unsupported",
  endpoint_unsupported: "reason.endpoint_unsupported",
  internal: "reason.internal",
  key_disabled: "reason.key_disabled",
  key_expired: "reason.key_expired",
  key_unknown: "reason.key_unknown",
  limit_budget_day: "reason.limit_budget_day",
  limit_budget_month: "reason.limit_budget_month",
  limit_budget_reserved: "reason.limit_budget_reserved",
  limit_parallel: "reason.limit_parallel",
  limit_requests: "reason.limit_requests",
  limit_tokens: "reason.limit_tokens",
  model_not_allowed: "reason.model_not_allowed",
  model_not_found: "reason.model_not_found",
  no_agent: "reason.no_agent",
  node_unanswered: "reason.node_unanswered",
  parent_unknown: "reason.parent_unknown",
  ping_failed: "reason.ping_failed",
  queue_full: "reason.queue_full",
  request_invalid: "reason.request_invalid",
  request_untranslatable: "reason.request_untranslatable",
  response_elsewhere: "reason.response_elsewhere",
  response_unknown: "reason.response_unknown",
  user_bodies_full: "reason.user_bodies_full",
  user_queue_full: "reason.user_queue_full",
};

/** Returns an error code in a few words; the code itself if there are none. */
export function errorWords(code: string): string {
  return (Object.hasOwn(WORDS, code) && WORDS[code] && text(WORDS[code])) || code;
}

/** Returns an error code in a few words with the code beside them, for lists of which programs know the codes. */
export function errorWithCode(code: string): string {
  const words = errorWords(code);
  return words === code ? code : text("reason.withCode", { words, code });
}
