import type { Hono } from "hono";
import { AppError } from "../../errors.ts";
import type { AskContext } from "../../relay/conversation.ts";
import type { ModelAnswer } from "../../relay/ports.ts";
import { asContext, type HttpContext, type HttpDeps, type HttpEnv, JSON_HEADERS } from "../context.ts";
import { openaiError } from "../errors/openai.ts";
import { passHeaders } from "../errors/response.ts";
import type { SentEvents } from "../errors/style.ts";
import { errorStyleOf } from "../errors/style-of-path.ts";
import { createEventStream, type ServerEvent } from "../middleware/event-stream.ts";
import { withinLimits } from "../middleware/limits.ts";
import { allowedModels } from "./allowed.ts";
import { askStreamed, askWhole, type ModelAsk, type ModelReply } from "./ask.ts";
import { translateMessages } from "./messages/translate.ts";
import type { OpenWay } from "./plan.ts";
import { type ModelRoute, readModelAsk } from "./read.ts";
import { translateResponses } from "./responses/translate.ts";

const ROUTES: readonly ModelRoute[] = [
  { endpoint: "chat/completions" },
  { endpoint: "responses", translate: translateResponses },
  { endpoint: "completions" },
  { endpoint: "embeddings" },
  { endpoint: "messages", translate: translateMessages },
  { endpoint: "messages/count_tokens" },
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
  return ask.head.stream ? stream(c, deps, ask) : reply(c, await askWhole(deps, ask, request.signal));
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

/** The status is decided by the first event; a failure after it is told in band, in the route's error style. */
async function stream(c: HttpContext, deps: HttpDeps, ask: ModelAsk): Promise<Response> {
  const style = errorStyleOf(c.req.path);
  const caller = new AbortController();
  const gone = () => caller.abort();
  const { signal } = c.req.raw;
  if (signal.aborted) gone();
  signal.addEventListener("abort", gone);
  const stream = createEventStream(gone, style.keepAlive);
  const memory: SentEvents = { count: 0, first: undefined };
  let way: OpenWay | undefined;
  const send = (events: ServerEvent[]) => {
    for (const { event, data } of events) {
      memory.count++;
      memory.first ??= data;
      stream.sendData(data, event);
    }
  };
  const failing = (open: OpenWay) => {
    way = open;
  };
  const asked = askStreamed(deps, ask, caller.signal, { send, failing });
  c.set("asked", asked);
  const fail = (thrown: unknown) => {
    if (!stream.isStarted) return;
    const error = thrown instanceof AppError ? thrown : new AppError("internal", { cause: thrown });
    deps.log.warn("stream_failed", { request_id: c.get("requestId"), error: error.code });
    const told = openaiError(error, c.get("requestId"));
    send(way?.fail?.(told) ?? [style.streamEvent(error, c.get("requestId"), memory)]);
    stream.end();
  };
  void asked.then(() => stream.end(), fail).finally(() => signal.removeEventListener("abort", gone));
  const first = await Promise.race([stream.started, asked]);
  if (first instanceof Response) return first;
  c.set("agent", first.result.agent);
  return first.reply ? reply(c, first.reply) : stream.started;
}
