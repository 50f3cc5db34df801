import { CHAT_STREAM_END } from "../../protocol/chat.ts";
import { type AskConversationDeps, type Asker, askConversation } from "../../relay/conversation.ts";
import type { Relay } from "../../relay/relay.ts";
import { askContext } from "../ask-context.ts";
import { ASK_ERRORS } from "../errors/ask-errors.ts";
import { referenceStyle } from "../errors/reference.ts";
import { type StreamAskDeps, streamAsk } from "../middleware/stream-ask.ts";
import { allowedModels, checkAllowed, resolveModel } from "../models/names/allowed-models.ts";
import { configuredFallbacks, type FallbackNames, modelsToTry } from "../models/names/fallbacks.ts";
import { unknownModel } from "../models/names/unknown-model.ts";
import type { NodeLists } from "../node-lists.ts";
import { ok, resource, route } from "../route.ts";
import { namedObject, SAMPLE, text } from "../values.ts";
import { AskBody, plainAsk } from "./body.ts";
import {
  Connections,
  connectionRows,
  describeConnections,
  mergeConnections,
  ZERO_TIME,
} from "./connections.ts";

/** The answer of `POST /api/ask`. All five fields are always there, empty if there is nothing to say. */
const AskAnswer = namedObject("AskAnswer", {
  id: text,
  response_id: text,
  conversation_id: text,
  content: text,
  error: text,
});

const ANSWER = {
  id: "",
  response_id: "0f9f3c52-9a52-4b0e-8a06-6f4b8f7f1c11",
  conversation_id: "4a8f6b0e-31a5-4f7e-9f4f-1f6d1f8c7f22",
  content: "Hello!",
  error: "",
};

const EVENTS = [{ delta: "Hel" }, { delta: "lo!" }, ANSWER].map(
  (event) => `data: ${JSON.stringify(event)}\n\n`,
);

const CONNECTION = { Ws: {}, Id: SAMPLE.agentId, Heartbeat: SAMPLE.time, LastMessageTime: ZERO_TIME };

const ROUTES = {
  ask: route("POST /api/ask", {
    access: "caller",
    limits: "admit",
    summary: "Ask, and wait for the answer",
    description:
      "If every agent is busy, the request waits for its turn. With `stream`, or `Accept: text/event-stream`, the answer comes as it is made.",
    body: { schema: AskBody, plain: plainAsk, example: { content: "Hello world" }, error: "ask_invalid" },
    answers: {
      200: {
        description: "The whole answer, or the stream of it.",
        headers: ["x-accel-buffering"],
        json: AskAnswer,
        example: ANSWER,
        other: {
          "text/event-stream": {
            description:
              'Server-sent events with JSON in their `data`: `{"delta":text}` for each piece, then the whole answer as without `stream`, then `[DONE]`. After 15 s without an event, the first one included, there is a comment. A failure after the first piece or comment is one event `{"error":text}`, without `[DONE]`.',
            example: `${EVENTS.join("")}data: [DONE]\n\n`,
          },
        },
      },
    },
    errors: ["conversation_unknown", "parent_unknown", "conversation_full", ...ASK_ERRORS],
  }),

  listConnections: route("GET /api/connections", {
    access: "caller",
    summary: "List the connected agents, as the reference server does",
    description:
      "In the order of their registration. `Heartbeat` is when the agent registered or last gave a good answer, `LastMessageTime` when it was last sent a request. The zero time means never. In a cluster the list has the agents of all nodes.",
    answers: ok("The agents.", Connections, { connections: [CONNECTION] }, ["x-missing-nodes"]),
  }),
};

interface AskDeps extends AskConversationDeps, FallbackNames, StreamAskDeps {
  relay: Pick<Relay, "ask" | "agents" | "models" | "offersModel" | "knowsModel">;
  /** The lists of the other nodes of a cluster; undefined for a single server. */
  nodes?: Pick<NodeLists, "connections"> | undefined;
}

/** The routes that callers of the Go server use. */
export const askRoutes = resource("Asks", ROUTES).handledBy((deps: AskDeps) => ({
  // Not `async`, as the runtime would keep the whole request for as long as the agent works.
  ask({ exchange, caller, body }) {
    const asker = askContext(exchange, caller, "ask", allowedModels(caller, deps));
    const question = body.model === undefined ? body : { ...body, ...readModels(deps, asker, body.model) };
    const { request, requestId } = exchange;
    if (!(body.stream ?? request.headers.get("accept")?.includes("text/event-stream"))) {
      return askConversation(deps, asker, question, request.signal).then(({ answer, agent }) => {
        exchange.agent = agent;
        return answer;
      });
    }
    return streamAsk(exchange, deps, {
      async run(events, signal) {
        const onText = (delta: string) => events.send(JSON.stringify({ delta }));
        const { answer, agent } = await askConversation(deps, asker, question, signal, onText);
        exchange.agent = agent;
        events.send(JSON.stringify(answer));
        events.send(CHAT_STREAM_END);
        return undefined;
      },
      fail: (error) => [referenceStyle.streamEvent(error, requestId)],
    });
  },

  // It needs a key, unlike the Go server's: ids of agents are private.
  listConnections() {
    const own = [...connectionRows(deps.relay)];
    return deps.nodes ? mergeConnections(own, deps.nodes) : describeConnections(own);
  },
}));

/**
 * Returns the model and its fallbacks, by the names that agents know. Throws an `AppError` if the asker cannot use
 * the model.
 */
function readModels(deps: AskDeps, asker: Asker, name: string) {
  checkAllowed(resolveModel(name, deps), asker.models);
  const others = configuredFallbacks("chat/completions", name, deps);
  const [model, ...fallbacks] = modelsToTry(name, others, asker.models, deps);
  if (model === undefined) throw unknownModel(deps.relay, asker, undefined, name);
  return { model, fallbacks };
}
