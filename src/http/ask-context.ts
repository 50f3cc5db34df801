import type { Caller } from "../auth/callers.ts";
import type { AskContext, Asker } from "../relay/conversation.ts";
import type { Exchange } from "./exchange.ts";
import { narrowPolicy } from "./middleware/ask-policy.ts";

/**
 * Returns who asks and by which request, for counting, logging and tracing, and how the ask is treated. `models` are
 * those that the caller may use, by the names that agents know; undefined for all. Throws `request_invalid` if a header
 * about the treatment of the ask is not valid.
 */
export function askContext(
  exchange: Exchange,
  caller: Caller,
  surface: string,
  models: readonly string[] | undefined,
): AskContext {
  const { principal, tokenHash } = caller;
  const { request, requestId, trace, reserve } = exchange;
  const origin = { requestId, surface, traceparent: trace?.traceparent, tracestate: trace?.tracestate };
  const { priority, tags } = narrowPolicy(askPolicyOf(caller), request.headers);
  const { onTaken, onSent, onWaiting } = exchange.progress;
  return { principal, tokenHash, models, origin, reserve, priority, tags, onTaken, onSent, onWaiting };
}

/** Returns what is set for a user about the turns of their asks, and about the agents that may do them. */
export function askPolicyOf({ allowance }: Pick<Caller, "allowance">): Pick<Asker, "priority" | "tags"> {
  const tags = allowance?.agentTags;
  return { priority: allowance?.priority ?? undefined, tags: tags ? [tags] : undefined };
}
