import type { Hono } from "hono";
import { AppError } from "../../errors.ts";
import { CHAT_STREAM_END } from "../../protocol/chat.ts";
import { type AskContext, askConversation, type ConversationAnswer } from "../../relay/conversation.ts";
import { asContext, type HttpContext, type HttpDeps, type HttpEnv, json } from "../context.ts";
import { referenceStyle } from "../errors/reference.ts";
import { parseJson, parseShape, readText } from "../middleware/body.ts";
import { createEventStream } from "../middleware/event-stream.ts";
import { withinLimits } from "../middleware/limits.ts";
import { allowedModels, checkAllowed, resolveModel } from "../models/allowed.ts";
import { AskBody } from "./schema.ts";

export function askRoutes(app: Hono<HttpEnv>, deps: HttpDeps): void {
  app.post("/api/ask", async (c) => {
    const request = c.req.raw;
    const identified = await deps.callers.identify(request.headers);
    const models = allowedModels(identified, deps.modelAliases);
    const caller = { ...asContext(c, identified, "ask"), models };
    c.set("principal", caller.principal);
    return withinLimits(c, deps.limits, identified, () => answerAsk(c, deps, caller));
  });
}

async function answerAsk(c: HttpContext, deps: HttpDeps, caller: AskContext): Promise<Response> {
  const request = c.req.raw;
  const text = await readText(request, deps);
  const body = readBody(text, deps, caller);
  // The body may have taken its time, in which the key was revoked.
  await deps.callers.identify(request.headers);
  if (body.stream ?? request.headers.get("accept")?.includes("text/event-stream")) {
    return streamAnswer(c, deps, caller, body);
  }
  const { answer, agent } = await askConversation(deps, caller, body, request.signal);
  c.set("agent", agent);
  return json(answer);
}

function readBody(text: string, { modelAliases }: HttpDeps, { models }: AskContext): AskBody {
  const body = parseShape(AskBody, parseJson(text, "ask_invalid"), "ask_invalid");
  if (body.model === undefined) return body;
  const model = resolveModel(body.model, modelAliases);
  checkAllowed(model, models);
  return { ...body, model };
}

/**
 * `{"delta":text}` for each piece, then the whole answer as it would be without streaming, then `[DONE]`. A
 * failure after the first piece is one `{"error":text}`, and no `[DONE]`.
 */
async function streamAnswer(
  c: HttpContext,
  deps: HttpDeps,
  asker: AskContext,
  body: AskBody,
): Promise<Response> {
  const caller = new AbortController();
  const { signal } = c.req.raw;
  const gone = () => caller.abort();
  if (signal.aborted) gone();
  signal.addEventListener("abort", gone);
  const events = createEventStream(gone);
  const asked = askConversation(deps, asker, body, caller.signal, (delta) => events.send({ delta }));
  c.set("asked", asked);
  const finish = ({ answer, agent }: ConversationAnswer) => {
    c.set("agent", agent);
    events.send(answer);
    events.sendData(CHAT_STREAM_END);
    events.end();
  };
  const fail = (thrown: unknown) => {
    if (!events.isStarted) return;
    const error = thrown instanceof AppError ? thrown : new AppError("internal", { cause: thrown });
    deps.log.warn("stream_failed", { request_id: c.get("requestId"), error: error.code });
    const seen = { count: 0, first: undefined };
    events.sendData(referenceStyle.streamEvent(error, c.get("requestId"), seen).data);
    events.end();
  };
  const response = await Promise.race([events.started, asked.then(() => events.started)]);
  void asked.then(finish, fail).finally(() => signal.removeEventListener("abort", gone));
  return response;
}
