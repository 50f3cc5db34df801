import type { Hono } from "hono";
import { CHAT_STREAM_END } from "../../protocol/chat.ts";
import { type AskContext, askConversation } from "../../relay/conversation.ts";
import { asContext, type HttpContext, type HttpDeps, type HttpEnv, json } from "../context.ts";
import { referenceStyle } from "../errors/reference.ts";
import { parseJson, parseShape, readText } from "../middleware/body.ts";
import { withinLimits } from "../middleware/limits.ts";
import { streamAsk } from "../middleware/stream-ask.ts";
import { allowedModels, checkAllowed, resolveModel } from "../models/allowed-models.ts";
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
    return streamConversation(c, deps, caller, body);
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
 * Streams `{"delta":text}` for each piece of the answer, then the whole answer as it would be without
 * streaming, then `[DONE]`. A failure after the first piece is one `{"error":text}` without a `[DONE]`.
 */
function streamConversation(
  c: HttpContext,
  deps: HttpDeps,
  asker: AskContext,
  body: AskBody,
): Promise<Response> {
  return streamAsk(c, deps.log, {
    async run(events, signal) {
      const onText = (delta: string) => events.send(JSON.stringify({ delta }));
      const { answer, agent } = await askConversation(deps, asker, body, signal, onText);
      c.set("agent", agent);
      events.send(JSON.stringify(answer));
      events.send(CHAT_STREAM_END);
      return undefined;
    },
    fail: (error) => [referenceStyle.streamEvent(error, c.get("requestId"))],
  });
}
