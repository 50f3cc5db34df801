import { z } from "zod";
import {
  createDocument as createOpenApi,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from "zod-openapi";
import { LIMIT_CODES } from "../../auth/limits/limit-error.ts";
import type { ErrorCode } from "../../errors.ts";
import { PRIORITIES } from "../../relay/routing/priority.ts";
import { PRIORITY_HEADER, TAGS_HEADER } from "../middleware/ask-policy.ts";
import { isCompressible } from "../middleware/compression/compress.ts";
import type { AnswerDeclaration, NamedRoute } from "../route.ts";
import { ACCESS_RULES, SECURITY_SCHEMES } from "./access.ts";
import { type Examples, errorAnswers, errorRefOf, errorSchemaOf, strayAnswers } from "./errors.ts";
import { HEADERS, type HeaderName, headersOf } from "./headers.ts";
import { type ApiDocument, JSON_TYPE } from "./shape.ts";
import { TAGS } from "./tags.ts";

const INFO = {
  title: "chatgpt-api-server",
  license: { name: "MIT", identifier: "MIT" },
  description: [
    "One HTTP API in front of every model session that agents bring to this server.",
    "Bodies are JSON in UTF-8, whatever the `Content-Type` says, but for the routes that take forms. Times are RFC 3339 in UTC. If several headers have a key, the valid one counts. Every answer has `x-request-id` and `Access-Control-Allow-Origin: *`. `GET` routes also answer `HEAD`. Another method on a known path is a 405 (`method_not_allowed`) with `Allow`, an unknown path is a 404 (`not_found`), as is one below `/v1` of an API that is not offered, such as `POST /v1/responses/compact`, a WebSocket at a path without any is a 426 (`websocket_refused`), and `OPTIONS` allows calls from pages of any site. Request headers of more than 16 KB are a 431 without a body. The paths of the model API also work without `/v1`, with `/v1` twice, below `/openai`, `/openai/v1`, `/anthropic` and `/api/v1`, below `/openai/deployments/<model>`, and with a slash too many. Those of Ollama also work with `/v1`, `/api` or `/ollama` before them, and with a slash too many.",
    "If a stream fails after its first event, the error is sent as an event, in the style of the route.",
  ].join("\n\n"),
};

const ADMIN_KEY = z.string().nullish().describe("The admin key, if it is not in a header.");

/** Returns the OpenAPI 3.1 document of the routes of a server that is reached at `url`. */
export function createDocument(version: string, routes: readonly NamedRoute[], url = "/"): ApiDocument {
  const examples: Examples = {};
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = openApiPath(route.path);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, examples) };
  }
  const document = createOpenApi({
    openapi: "3.1.0",
    info: { ...INFO, version },
    servers: [{ url, description: "This server." }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      headers: HEADERS,
      responses: { ...strayAnswers(examples), ...AT_HOME },
    },
  });
  // The library's type has every way to write a document; ours has what the page reads of this one.
  return { ...document, components: { ...document.components, examples } } as unknown as ApiDocument;
}

/** Returns a path in the notation of OpenAPI: `/admin/users/{id}`. */
export function openApiPath(path: string): string {
  return path.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, "{$1}");
}

/** For `GET /`, which is not a route. */
const AT_HOME = {
  for_ollama: {
    description: "A client with a key that asks for `/` finds Ollama's API.",
    headers: headersOf("200"),
    content: { "text/plain": { schema: { type: "string" as const }, example: "Ollama is running" } },
  },
  to_dashboard: {
    description: "A browser that asks for `/` is sent to the dashboard.",
    headers: headersOf("303", { more: ["location"] }),
  },
};

function operationOf(route: NamedRoute, examples: Examples): ZodOpenApiOperationObject {
  const { operationId, tag, summary, access, params, query } = route;
  const { security, note } = ACCESS_RULES[access];
  return {
    operationId,
    tags: [tag],
    summary,
    description: [route.description, `Key: ${note}`].filter(Boolean).join("\n\n"),
    security,
    requestParams: {
      ...(params && { path: paramsOf(params) }),
      ...(query && { query }),
      ...(route.limits === "admit" && { header: ASK_HEADERS }),
    },
    ...requestBodyOf(route),
    responses: { ...answersOf(route), ...errorsOf(route, examples), ...passedOn(route) },
  };
}

/** The headers of a request that is passed to an agent. */
const ASK_HEADERS = z.object({
  [PRIORITY_HEADER]: z
    .enum(PRIORITIES)
    .optional()
    .describe("The class of the request in the queue, if that is lower than the user's own."),
  [TAGS_HEADER]: z
    .string()
    .optional()
    .describe("Only an agent that has all these tags answers. Separated by commas.")
    .meta({ example: "home,gpu" }),
});

/** Requests that count against the limits of a user are those that agents are sent. */
const headerOptions = (limits: NamedRoute["limits"]) => ({
  limited: limits !== undefined,
  asks: limits === "admit",
});

function paramsOf(notes: Readonly<Record<string, string>>): z.ZodObject {
  return z.object(
    Object.fromEntries(Object.entries(notes).map(([name, note]) => [name, z.string().describe(note)])),
  );
}

const FORM_TYPE = "multipart/form-data";

function requestBodyOf({ body, access }: NamedRoute) {
  if (!body) return {};
  const { schema, documented = schema, example, isRequired = true } = body;
  const takesKey = access === "adminOrBody" && documented instanceof z.ZodObject;
  const shown = takesKey ? documented.extend({ admin_key: ADMIN_KEY }) : documented;
  const media = body.isForm ? FORM_TYPE : JSON_TYPE;
  return { requestBody: { required: isRequired, content: { [media]: { schema: shown, example } } } };
}

function answersOf({ access, method, answers, limits }: NamedRoute) {
  const compressed: HeaderName[] = isCompressible(access, method) ? ["content-encoding"] : [];
  const describe = ([status, answer]: [string, AnswerDeclaration]): [string, ZodOpenApiResponseObject] => [
    status,
    {
      description: answer.description,
      headers: headersOf(status, {
        ...headerOptions(limits),
        more: [...(answer.headers ?? []), ...compressed],
      }),
      ...contentOf(answer),
    },
  ];
  return Object.fromEntries(Object.entries(answers).map(describe));
}

function contentOf({ json, example, other = {} }: AnswerDeclaration) {
  const content = {
    ...(json && { [JSON_TYPE]: { schema: json, example } }),
    ...Object.fromEntries(
      Object.entries(other).map(([media, { description, example }]) => [
        media,
        { schema: { type: "string" as const, description }, example },
      ]),
    ),
  };
  return Object.keys(content).length > 0 ? { content } : {};
}

/** Returns the errors that follow from the declaration itself. */
function impliedErrors({ access, query, body, limits }: NamedRoute): ErrorCode[] {
  return [
    ...ACCESS_RULES[access].errors,
    ...(query ? (["request_invalid"] as const) : []),
    ...(body
      ? ([body.error ?? "body_invalid", "body_too_large", "body_timeout", "encoding_unsupported"] as const)
      : []),
    ...(limits === "admit"
      ? (["request_invalid", ...LIMIT_CODES, "bodies_full", "user_bodies_full"] as const)
      : []),
  ];
}

function errorsOf(route: NamedRoute, examples: Examples) {
  const { errors = [], answers, style, headerStyle, limits, passesErrorsOn } = route;
  const schema = headerStyle
    ? { anyOf: [errorRefOf(style), errorRefOf(headerStyle.style)] }
    : errorSchemaOf(style);
  const found = errorAnswers(style, [...impliedErrors(route), ...errors], examples);
  const upstreams = passesErrorsOn ? ", or the upstream's own error, unchanged" : "";
  return Object.fromEntries(
    found
      .filter(({ status }) => !(status in answers))
      .map(({ status, codes, examples: ofCodes }) => [
        status,
        {
          description: codes.map((code) => `\`${code}\``).join(", ") + upstreams,
          headers: headersOf(status, { ...headerOptions(limits), passedOn: passesErrorsOn }),
          content: { [JSON_TYPE]: { schema, examples: ofCodes } },
        },
      ]),
  );
}

function passedOn({ passesErrorsOn, style, limits }: NamedRoute) {
  if (!passesErrorsOn) return {};
  const describe = (status: string) => ({
    description:
      "An error of the upstream, with its status, its body, and those of its headers that say whether and when to retry.",
    headers: headersOf(status, headerOptions(limits)),
    content: {
      [JSON_TYPE]: {
        schema: { anyOf: [errorRefOf(style), { description: "Whatever the upstream sends." }] },
      },
    },
  });
  return { "4XX": describe("4XX"), "5XX": describe("5XX") };
}
