import { AskAnswer, Connections } from "../answers.ts";
import { ASK_ERRORS } from "../docs/ask-errors.ts";
import { bodyOf, type Description, JSON_TYPE, jsonAnswer, textContent } from "../docs/describe.ts";
import { AskBody } from "./schema.ts";

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

export const askDescriptions: readonly Description[] = [
  {
    method: "POST",
    path: "/api/ask",
    id: "ask",
    tag: "Asks",
    summary: "Ask, and wait for the answer",
    description:
      "When every agent is busy the ask waits for its turn. With `stream`, or `Accept: text/event-stream`, the answer comes as it is made.",
    key: "caller",
    isLimited: true,
    body: bodyOf(
      AskBody,
      {
        content: "What to ask.",
        message_id: "Your id of the message; made up if missing.",
        conversation_id: "Go on with this conversation.",
        parent_id: "The `response_id` to go on from; earlier ones branch.",
        model: "Only an agent that offers it answers.",
        stream: "Send the answer as it comes.",
      },
      { example: { content: "Hello world" } },
    ),
    answers: {
      "200": {
        description: "The whole answer, or the stream of it.",
        headers: ["x-accel-buffering"],
        content: {
          [JSON_TYPE]: { schema: AskAnswer, example: ANSWER },
          "text/event-stream": textContent(
            'Server-sent events, each with JSON in its `data`: a `{"delta":text}` for each piece, then the whole answer as without `stream`, then `[DONE]`. A failure after the first piece is one event `{"error":text}`, and no `[DONE]`. After 15 s without an event there is a comment.',
            `${EVENTS.join("")}data: [DONE]\n\n`,
          ),
        },
      },
    },
    errors: ["ask_invalid", "conversation_unknown", "parent_unknown", "conversation_full", ...ASK_ERRORS],
  },
  {
    method: "GET",
    path: "/api/connections",
    id: "listConnections",
    tag: "Asks",
    summary: "The agents that are connected, as the reference lists them",
    description:
      "In the order of their registration. `Heartbeat` is when the agent registered or last gave a good answer, `LastMessageTime` when it was last sent a request; the zero time means never.",
    key: "caller",
    answers: {
      "200": jsonAnswer("The agents.", Connections, {
        connections: [
          {
            Ws: {},
            Id: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
            Heartbeat: "2026-11-23T08:10:14.924Z",
            LastMessageTime: "0001-01-01T00:00:00Z",
          },
        ],
      }),
    },
  },
];
