import { AppError } from "../errors.ts";
import { parseJson } from "../json/parse.ts";
import type { V1Request } from "../protocol/agent-v1.ts";
import { COUNT_ENDPOINT, type Endpoint, TOKENS_MAX, type Usage } from "../protocol/agent-v2.ts";
import { textIn } from "../protocol/answer-text.ts";
import { hasByteAnswer } from "../protocol/endpoints.ts";
import { estimateTokens } from "../protocol/token-estimate.ts";
import { mayHaveUsage, tokenCountsOf, usageIn } from "../protocol/token-usage.ts";
import type { AnswerMeter } from "./answer-meter.ts";
import type { AskTokens } from "./record.ts";
import type { Answer, ModelRequest } from "./types.ts";

/** The work that was done for an ask. */
export interface AskWork {
  /** The request that the last agent was sent; undefined if no agent had the ask. */
  request: V1Request | ModelRequest | undefined;
  model: string;
  /** Whether that agent still worked on the ask when it ended. */
  isAtAgent: boolean;
  /** The streamed part of the answer. */
  meter: AnswerMeter;
}

const NONE: AskTokens = { inputTokens: undefined, outputTokens: undefined, tokensEstimated: false };
/** Counting the tokens of a message uses none. */
const ZERO: AskTokens = { inputTokens: 0, outputTokens: 0, tokensEstimated: false };
/** The endpoints whose answers have no text of the model's. */
const WITHOUT_OUTPUT: ReadonlySet<string> = new Set(["embeddings", "api/embed", "rerank", "moderations"]);
const NOTHING_REFUSED: ReadonlySet<never> = new Set();

/** The errors of callers who left, or were sent away, while an agent worked for them. */
const CALLER_ERRORS: ReadonlySet<string> = new Set(["caller_gone", "key_unknown"]);

/** The endpoints that count tokens, and use none. */
const COUNTING: ReadonlySet<Endpoint> = new Set([
  ...(["messages/count_tokens", COUNT_ENDPOINT, "tokenize", "detokenize"] as const),
]);

/**
 * Returns the tokens of an ask that has ended, so that every answer counts against its caller's limit, also
 * one whose upstream counts nothing, and the part that a caller got before they hung up:
 *
 * - What the upstream reported counts as it is.
 * - If the caller has an answer, or a part of one, a count that is not reported is estimated. Upstreams report 0
 *   where they have no figure: https://github.com/ollama/ollama/issues/5370.
 * - If the caller left before the first byte, the input is estimated. The agent has begun to read it.
 * - An ask that failed, or was refused, before the first byte has no tokens. That is not the caller's fault.
 */
export function tokensOf(work: AskWork, outcome: Answer | AppError): AskTokens {
  const { request } = work;
  if (!request) return NONE;
  if ("endpoint" in request) {
    if (COUNTING.has(request.endpoint)) return ZERO;
    // Bytes are not counted in tokens, unless the upstream does.
    if (hasByteAnswer(request.endpoint)) return reportedTokens(work, outcome);
  }
  return countedTokens(work, outcome);
}

function countedTokens(work: AskWork, outcome: Answer | AppError): AskTokens {
  const { meter, isAtAgent } = work;
  if (outcome instanceof AppError) {
    if (meter.hasBegun) return streamedTokens(work);
    const isCallers = isAtAgent && CALLER_ERRORS.has(outcome.code);
    return isCallers ? reportedOr(undefined, work, () => 0) : NONE;
  }
  if (outcome.kind === "v1") return reportedOr(undefined, work, () => estimateTokens(outcome.answer.content));
  const { status, body } = outcome;
  const usage = hasTokens(outcome.usage) ? outcome.usage : undefined;
  if (status >= 300) return usage ? { ...tokenCountsOf(usage), tokensEstimated: false } : NONE;
  return body === undefined ? streamedTokens(work, usage) : wholeTokens(work, body, usage);
}

function reportedTokens({ meter }: AskWork, outcome: Answer | AppError): AskTokens {
  const answered = outcome instanceof AppError || outcome.kind === "v1" ? undefined : outcome.usage;
  const usage = answered ?? meter.inBytes?.told?.tokens;
  return hasTokens(usage) ? { ...tokenCountsOf(usage), tokensEstimated: false } : NONE;
}

const hasTokens = (usage: Usage | undefined): boolean =>
  usage !== undefined && usage.prompt_tokens + usage.completion_tokens > 0;

const streamedTokens = (work: AskWork, usage = work.meter.usage) =>
  reportedOr(usage, work, () => work.meter.estimateTokens());

function wholeTokens(work: AskWork, body: string, usage?: Usage): AskTokens {
  const { request } = work;
  const hasNoOutput = request && "endpoint" in request && WITHOUT_OUTPUT.has(request.endpoint);
  const inBody = !usage && mayHaveUsage(body) ? usageIn(parseJson(body)) : usage;
  return reportedOr(inBody, work, () => (hasNoOutput ? 0 : estimateTokens(textIn(parseJson(body)))));
}

/** Estimates what the usage does not report, which may be reported as 0. */
function reportedOr(usage: Usage | undefined, work: AskWork, estimateOutput: () => number): AskTokens {
  const counts = tokenCountsOf(usage);
  const inputTokens = counts.inputTokens || Math.min(estimateInput(work), TOKENS_MAX);
  const outputTokens = counts.outputTokens || Math.min(estimateOutput(), TOKENS_MAX);
  const tokensEstimated = inputTokens !== counts.inputTokens || outputTokens !== counts.outputTokens;
  return { ...counts, inputTokens, outputTokens, tokensEstimated };
}

function estimateInput({ request, model }: AskWork): number {
  if (!request) return 0;
  return estimateTokens("endpoint" in request ? request.body(model, NOTHING_REFUSED) : request.content);
}
