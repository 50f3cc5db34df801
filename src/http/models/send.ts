import { passHeaders } from "../errors/response.ts";
import type { Exchange } from "../exchange.ts";
import { JSON_HEADERS } from "../middleware/headers.ts";
import type { ModelReply } from "./ask.ts";

/** Returns the response for an answer that is not streamed, and notes it for the log. */
export function send(
  exchange: Exchange,
  { status, body, agent, usage, headers: passed }: ModelReply,
): Response {
  exchange.agent = agent;
  if (usage) {
    exchange.inputTokens = usage.prompt_tokens;
    exchange.outputTokens = usage.completion_tokens;
  }
  const headers = new Headers(JSON_HEADERS);
  passHeaders(passed, headers);
  return new Response(body, { status, headers });
}
