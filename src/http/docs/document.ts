import { Hono } from "hono";
import { type DescribeRouteOptions, describeRoute, generateSpecs, resolver } from "hono-openapi";
import { z } from "zod";
import { type Answer, type AnswerContent, type Description, JSON_TYPE, TAGS } from "./describe.ts";
import { DESCRIPTIONS } from "./descriptions.ts";
import { type Examples, errorAnswers, errorRefOf, errorSchemaOf, strayAnswers } from "./errors.ts";
import { HEADERS, headersOf } from "./headers.ts";
import { KEY_RULES, SECURITY_SCHEMES } from "./keys.ts";
import type { ApiDocument } from "./shape.ts";

const INFO = {
  title: "chatgpt-api-server",
  license: { name: "MIT", identifier: "MIT" },
  description: [
    "One HTTP API in front of every model session that agents bring to this server.",
    "Bodies are JSON in UTF-8, whatever the `Content-Type` says. Times are RFC 3339 in UTC. Two different keys in one request are refused. Every answer has `x-request-id`, and `Access-Control-Allow-Origin: *`. `GET` routes answer `HEAD` too; another method on a known path is a 405 (`method_not_allowed`) with `Allow`, an unknown path a 404 (`not_found`), and `OPTIONS` lets pages of any site call. A head of more than 16 KB is a 431 without a body.",
    "In a stream, a failure after the first event is told as an event, in the words of its route.",
  ].join("\n\n"),
};

/**
 * The description of all routes, OpenAPI 3.1. The routes themselves know nothing of it, as what they are described
 * by would be one more middleware on the path of every ask.
 */
export async function createDocument(version: string): Promise<ApiDocument> {
  const examples: Examples = {};
  const described = new Hono();
  for (const description of DESCRIPTIONS) {
    const { method, path } = description;
    described.on(method, path, describeRoute(operationOf(description, examples)));
  }
  const document = await generateSpecs(described, {
    // A dot in a path does not make it a file.
    excludeStaticFile: false,
    documentation: {
      info: { ...INFO, version },
      servers: [{ url: "/", description: "This server." }],
      tags: [...TAGS],
      components: { securitySchemes: SECURITY_SCHEMES, headers: HEADERS } as object,
    },
  });
  const responses = { ...strayAnswers(examples), ...TO_DASHBOARD };
  return {
    ...document,
    components: { ...document.components, examples, responses },
  } as unknown as ApiDocument;
}

/** Of `GET /` by a browser, which for all others is no route. */
const TO_DASHBOARD = {
  to_dashboard: {
    description: "A browser that asks for `/` is sent to the dashboard.",
    headers: headersOf("303", { more: ["location"] }),
  },
};

function operationOf(description: Description, examples: Examples): DescribeRouteOptions {
  const { id, tag, summary, key, parameters = [], body, path } = description;
  const text = [description.description, `Key: ${KEY_RULES[key].told}`].filter(Boolean).join("\n\n");
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: text,
    security: KEY_RULES[key].security,
    parameters,
    ...(body && {
      requestBody: {
        required: body.isRequired,
        content: { [JSON_TYPE]: { schema: body.schema, example: body.example } },
      },
    }),
    responses: {
      ...answersOf(description),
      ...errorsOf(description, examples),
      ...passedOn(description, path),
    },
  } as DescribeRouteOptions;
}

function answersOf({ answers, isLimited = false }: Description) {
  const told = ([status, answer]: [string, Answer]) => [
    status,
    {
      description: answer.description,
      headers: headersOf(status, { limited: isLimited, more: answer.headers ?? [] }),
      ...(answer.content && {
        content: Object.fromEntries(
          Object.entries(answer.content).map(([media, content]) => [media, contentOf(content)]),
        ),
      }),
    },
  ];
  return Object.fromEntries(Object.entries(answers).map(told));
}

function errorsOf(description: Description, examples: Examples) {
  const { path, key, errors = [], isLimited = false, isPassedOn = false, answers } = description;
  const found = errorAnswers(path, [...KEY_RULES[key].errors, ...errors], examples);
  const upstreams = isPassedOn ? ", or the upstream's own error as it says it" : "";
  return Object.fromEntries(
    found
      .filter(({ status }) => !(status in answers))
      .map(({ status, codes, examples: ofCodes }) => [
        status,
        {
          description: codes.map((code) => `\`${code}\``).join(", ") + upstreams,
          headers: headersOf(status, { limited: isLimited, passedOn: isPassedOn }),
          content: { [JSON_TYPE]: { schema: resolver(errorSchemaOf(path), AS_SENT), examples: ofCodes } },
        },
      ]),
  );
}

function passedOn({ isPassedOn, isLimited = false }: Description, path: string) {
  if (!isPassedOn) return {};
  const told = (status: string) => ({
    description:
      "An error of the upstream, with its status, its body, and its headers that say whether and when to try again.",
    headers: headersOf(status, { limited: isLimited }),
    content: {
      [JSON_TYPE]: { schema: { anyOf: [errorRefOf(path), { description: "Whatever the upstream says." }] } },
    },
  });
  return { "4XX": told("4XX"), "5XX": told("5XX") };
}

/** An answer's shape is that of what is sent, not of what would be read as it. */
const AS_SENT = { options: { io: "output" } };

function contentOf({ schema, example }: AnswerContent) {
  return { schema: schema instanceof z.ZodType ? resolver(schema, AS_SENT) : schema, example };
}
