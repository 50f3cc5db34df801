import type { Hono } from "hono";
import type { AskContext } from "../../relay/conversation.ts";
import type { ModelAnswer } from "../../relay/types.ts";
import { asContext, type HttpContext, type HttpDeps, type HttpEnv, JSON_HEADERS } from "../context.ts";
import { anthropicStyle } from "../errors/anthropic.ts";
import { openaiStyle, responsesStyle } from "../errors/openai.ts";
import { passHeaders } from "../errors/response.ts";
import { withinLimits } from "../middleware/limits.ts";
import { streamAsk } from "../middleware/stream-ask.ts";
import { allowedModels } from "./allowed-models.ts";
import { askWhole, type ModelAsk, type ModelReply, ModelStream } from "./ask.ts";
import { translateMessages } from "./messages/translate.ts";
import { type ModelRoute, readModelAsk } from "./read-request.ts";
import { translateResponses } from "./responses/translate.ts";

const ROUTES: readonly ModelRoute[] = [
  { endpoint: "chat/completions", style: openaiStyle },
  { endpoint: "responses", style: responsesStyle, translate: translateResponses },
  { endpoint: "completions", style: openaiStyle },
  { endpoint: "embeddings", style: openaiStyle },
  { endpoint: "messages", style: anthropicStyle, translate: translateMessages },
  { endpoint: "messages/count_tokens", style: anthropicStyle },
];

/** The OpenAI-style routes, and Anthropic's. */
export function modelAskRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  for (const route of ROUTES) {
    app.post(`/v1/${route.endpoint}`, async (c) => {
      const caller = await deps.callers.identify(c.req.raw.headers);
      c.set("principal", caller.principal);
      const models = allowedModels(caller, deps.modelAliases);
      const asker = { ...asContext(c, caller, route.endpoint), models };
      return withinLimits(c, deps.limits, caller, () => answerAsk(c, deps, asker, route));
    });
  }
}

async function answerAsk(
  c: HttpContext,
  deps: HttpDeps,
  asker: AskContext,
  route: ModelRoute,
): Promise<Response> {
  const request = c.req.raw;
  const ask = await readModelAsk(request, deps, asker, route);
  // The body may have taken its time, in which the key was revoked.
  await deps.callers.identify(request.headers);
  c.set("model", ask.model);
  return ask.stream ? stream(c, deps, ask, route) : reply(c, await askWhole(deps.relay, ask, request.signal));
}

function reply(c: HttpContext, { status, body, agent, usage, headers: passed }: ModelReply): Response {
  c.set("agent", agent);
  noteUsage(c, usage);
  const headers = new Headers(JSON_HEADERS);
  passHeaders(passed, headers);
  return new Response(body, { status, headers });
}

function noteUsage(c: HttpContext, usage: ModelAnswer["usage"]): void {
  if (!usage) return;
  c.set("promptTokens", usage.prompt_tokens);
  c.set("completionTokens", usage.completion_tokens);
}

function stream(c: HttpContext, deps: HttpDeps, ask: ModelAsk, { style }: ModelRoute): Promise<Response> {
  const stream = new ModelStream(deps.relay, ask);
  return streamAsk(c, deps.log, {
    async run(events, signal) {
      const { agent, reply: whole } = await stream.run(events, signal);
      c.set("agent", agent);
      return whole && reply(c, whole);
    },
    fail: (error) => stream.fail(error, c.get("requestId")),
    keepAlive: style.keepAlive,
  });
}
