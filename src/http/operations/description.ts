import { NotReady, Ready } from "../answers.ts";
import { type Description, JSON_TYPE, jsonAnswer, textContent } from "../docs/describe.ts";

const NOT_MODIFIED = {
  description: "It is still what `If-None-Match` names.",
  headers: ["etag"],
} as const;

export const operationDescriptions: readonly Description[] = [
  {
    ...{ method: "GET", path: "/health", id: "readHealth", tag: "Operations", key: "none" },
    summary: "Whether the process serves",
    answers: {
      "200": { description: "It does.", content: { "text/plain": textContent("`OK`.", "OK") } },
    },
  },
  {
    ...{ method: "GET", path: "/ready", id: "readReadiness", tag: "Operations", key: "none" },
    summary: "Whether work can be taken, and why not",
    parameters: [
      {
        ...{ name: "agents", in: "query", required: false },
        description: "How many agents must take work; 0 leaves them out of it.",
        schema: { type: "string", default: "1" },
      },
    ],
    answers: {
      "200": jsonAnswer("It can.", Ready, { status: "ready" }),
      "503": jsonAnswer("It cannot.", NotReady, { status: "not ready", reasons: ["no agent takes work"] }),
    },
    errors: ["request_invalid"],
  },
  {
    ...{ method: "GET", path: "/metrics", id: "readMetrics", tag: "Operations", key: "metrics" },
    summary: "Figures for Prometheus",
    answers: {
      "200": {
        description: "The figures.",
        content: {
          "text/plain": textContent(
            "Prometheus' text format, 0.0.4.",
            "# TYPE process_resident_memory_bytes gauge\n",
          ),
        },
      },
    },
  },
  {
    ...{ method: "GET", path: "/openapi.json", id: "readDescription", tag: "Operations", key: "none" },
    summary: "This description, OpenAPI 3.1",
    description: "The same for everybody. There is no secret in it.",
    answers: {
      "200": {
        description: "The description.",
        headers: ["etag"],
        content: { [JSON_TYPE]: { schema: { type: "object" }, example: { openapi: "3.1.0" } } },
      },
      "304": NOT_MODIFIED,
    },
  },
  {
    ...{ method: "GET", path: "/docs", id: "readDocs", tag: "Operations", key: "none" },
    summary: "This description as a page",
    description: "Without a script, and without a request to anywhere else.",
    answers: {
      "200": {
        description: "The page.",
        headers: ["etag"],
        content: { "text/html": textContent("HTML.", "<!doctype html>") },
      },
      "304": NOT_MODIFIED,
    },
  },
];
