import Ajv2020, { type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { ERRORS, type ErrorCode } from "../../../src/errors.ts";
import { openApiPath } from "../../../src/http/docs/document.ts";
import { type Answered, type ApiDocument, JSON_TYPE, type Operation } from "../../../src/http/docs/shape.ts";

import { ROUTES } from "../../../src/http/resources.ts";
import { createRouteTable } from "../../../src/http/route-table.ts";
import { isNotOffered } from "../../../src/http/unknown-path.ts";
import { PASSED_ERROR_HEADERS } from "../../../src/protocol/agent-v2.ts";

/** A response of a server, with its request. */
export interface CheckedAnswer {
  method: string;
  url: string;
  status: number;
  headers: Headers;
  /** Missing if it is not checked, as for a stream. */
  text?: string;
}

interface Found {
  answered: Answered;
  /** The JSON pointer to `answered`. */
  pointer: string;
  /** It may have headers of an upstream. */
  isPassedOn: boolean;
}

/** The headers of any response; docs/api.md and docs/security.md describe them once for all. */
const COMMON =
  /^(?:access-control-.*|cache-control|connection|content-(?:length|security-policy|type)|date|keep-alive|referrer-policy|request-id|strict-transport-security|transfer-encoding|vary|x-content-type-options)$/;

/** The statuses of refusals before a route is looked up. Each route describes them. */
const ACCESS_STATUSES = [400, 403, 414, 429, 500];

/** Returns a function that lists everything in a response which the document does not describe. */
export function createAnswerCheck(document: ApiDocument): (answer: CheckedAnswer) => string[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addSchema(document, "api");
  const find = createFind(document);

  const validators = new Map<string, ValidateFunction>();

  const shapeFaults = (
    { answered, pointer }: Pick<Found, "answered" | "pointer">,
    body: unknown,
  ): string[] => {
    const validate = validators.get(pointer) ?? ajv.compile({ $ref: `api#${pointer}` });
    validators.set(pointer, validate);
    if (validate(body)) return textFaults(document, answered, body);
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `the body${instancePath}: ${message} ${JSON.stringify(params)}`,
    );
  };

  const bodyFaults = (
    { answered, pointer, isPassedOn }: Found,
    { method, headers, text }: CheckedAnswer,
  ): string[] => {
    const content = answered.content ?? {};
    const media = headers.get("content-type")?.split(";")[0] ?? "";
    if (!(media in content)) {
      const hasNone = media === "" && text === "" && Object.keys(content).length === 0;
      return hasNone ? [] : [`the type ${media || "(none)"} is not one of: ${Object.keys(content)}`];
    }
    if (method === "HEAD" || text === undefined || media !== JSON_TYPE) return [];
    const at = `${pointer}/content/${escaped(media)}/schema`;
    return jsonFaults({ answered, pointer: at, isPassedOn }, text);
  };

  const jsonFaults = ({ answered, pointer, isPassedOn }: Found, text: string): string[] => {
    const body = parse(text);
    if (body === undefined) return ["the body is not JSON"];
    // The words are the upstream's.
    if (isPassedOn && isOllamas(answered.content ?? {})) return [];
    return shapeFaults({ answered, pointer }, body);
  };

  const headerFaults = ({ answered, isPassedOn }: Found, { headers }: CheckedAnswer): string[] => {
    const told = answered.headers ?? {};
    const isPassed = (name: string) => isPassedOn && PASSED_ERROR_HEADERS.test(name);
    const untold = [...headers.keys()].filter(
      (name) => !(name in told) && !COMMON.test(name) && !isPassed(name),
    );
    const missing = ["x-request-id", "etag", "allow"].filter((name) => name in told && !headers.has(name));
    const wrong = Object.keys(told).filter((name) => {
      const { type } = document.components.headers[name]?.schema ?? {};
      return type === "integer" && headers.has(name) && !/^\d+$/.test(headers.get(name) ?? "");
    });
    return [
      ...untold.map((name) => `the header ${name} is not described`),
      ...missing.map((name) => `the header ${name} is missing`),
      ...wrong.map((name) => `the header ${name} is not a whole number: ${headers.get(name)}`),
    ];
  };

  return (answer) => {
    if (answer.method === "OPTIONS") return [];
    const found = find(answer);
    return typeof found === "string"
      ? [found]
      : [...bodyFaults(found, answer), ...headerFaults(found, answer)];
  };
}

/** Finds what the document says about a kind of answer, or says why there is nothing. */
function createFind({ paths, components }: ApiDocument): (answer: CheckedAnswer) => Found | string {
  const routes = createRouteTable(ROUTES);

  const ofOperation = ({ responses }: Operation, pointer: string, status: number): Found | string => {
    const name = [String(status), `${String(status)[0]}XX`].find((one) => one in responses) ?? "";
    const answered = responses[name];
    const isPassedOn = "4XX" in responses && status >= 400;
    if (answered) return { answered, pointer: `${pointer}/responses/${name}`, isPassedOn };
    return `the status is not one of: ${Object.keys(responses)}`;
  };

  const ofNone = (
    name: "not_found" | "method_not_allowed" | "websocket_refused" | keyof typeof AT_HOME,
    status: number,
  ): Found | string => {
    const answered = components.responses[name];
    const found = { pointer: `/components/responses/${name}`, isPassedOn: false };
    if (
      answered &&
      status === (name in AT_HOME ? AT_HOME[name as keyof typeof AT_HOME] : ERRORS[name as ErrorCode].status)
    )
      return { ...found, answered };
    if (!answered || !ACCESS_STATUSES.includes(status)) return "there is no such operation";
    // Only the shape of the body is the same.
    const schemas = Object.entries(answered.content ?? {}).map(([media, { schema }]) => [media, { schema }]);
    const { description, headers = {} } = answered;
    const { allow: _, ...others } = headers;
    return { ...found, answered: { description, headers: others, content: Object.fromEntries(schemas) } };
  };

  return ({ method, url, status }) => {
    const pathname = routes.canonical(new URL(url).pathname);
    const route = routes.find(method, pathname);
    if (!route) {
      if (routes.methodsOf(pathname).length > 0 && !isNotOffered(pathname))
        return ofNone(status === 426 ? "websocket_refused" : "method_not_allowed", status);
      return ofNone((pathname === "/" && homeOf(status)) || "not_found", status);
    }
    const [path, verb] = [openApiPath(route.path), route.method.toLowerCase()];
    const operation = paths[path]?.[verb];
    if (!operation) return "there is no such operation";
    return ofOperation(operation, `/paths/${escaped(path)}/${verb}`, status);
  };
}

/** The answers at `/` with their statuses. */
const AT_HOME = { to_dashboard: 303, for_ollama: 200 } as const;

const homeOf = (status: number) =>
  (["to_dashboard", "for_ollama"] as const).find((name) => AT_HOME[name] === status);

/** Each text of the reference stands for a code, which the route must list for the status. */
function textFaults(document: ApiDocument, { content = {} }: Answered, body: unknown): string[] {
  const { error } = body as { error?: unknown };
  const examples = Object.values(content).flatMap((one) => Object.values(one.examples ?? {}));
  if (typeof error !== "string" || examples.length === 0) return [];
  const texts = examples.map(({ $ref = "" }) => {
    const { value } = document.components.examples[$ref.split("/").at(-1) ?? ""] ?? {};
    return (value as { error?: unknown } | undefined)?.error;
  });
  const isListed = isOllamas(content)
    ? texts.some((text) => firstWords(error) === firstWords(String(text)))
    : texts.includes(error);
  return isListed ? [] : [`the error is of a code that is not listed: ${error}`];
}

const isOllamas = (content: Answered["content"] = {}): boolean =>
  JSON.stringify(content[JSON_TYPE]?.schema ?? {}).includes("/OllamaError");

/** In Ollama's style the text of the code is followed by the rest, and a missing model has Ollama's words. */
const firstWords = (error: string): string =>
  error.replace(/^model '[^']*' not found/, "The model does not exist").replace(/[.:].*/s, "");

const escaped = (name: string) => encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
