import { beforeAll, describe, expect, test } from "bun:test";
import { homedir, hostname } from "node:os";
import { resolve } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { ERRORS, type ErrorCode } from "../../../src/errors.ts";
import { type AppDeps, createApp } from "../../../src/http/app.ts";
import { createDocument } from "../../../src/http/docs/document.ts";
import type { ApiDocument, Content, Operation } from "../../../src/http/docs/shape.ts";
import { ROUTES } from "../../../src/http/resources.ts";

let api: ApiDocument;
beforeAll(() => {
  api = createDocument("1.2.3", ROUTES);
});

interface Route extends Operation {
  /** `GET /health`. */
  name: string;
}

const operations = (): Route[] =>
  Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      ...operation,
    })),
  );

test("the document is valid OpenAPI 3.1 with the version of the server", async () => {
  const { valid, errors } = await new Validator().validate(
    structuredClone(api) as unknown as Record<string, unknown>,
  );
  expect([valid, errors]).toEqual([true, undefined]);
  expect(api.openapi).toMatch(/^3\.1\.\d+$/);
  expect(api.info.version).toBe("1.2.3");
});

test("every route has one description, and no description is without a route", () => {
  const nothing: unknown = new Proxy(() => {}, { get: () => nothing, apply: () => nothing });
  const { routes } = createApp(nothing as AppDeps);
  const names = routes
    .filter(({ method }) => method !== "ALL" && method !== "OPTIONS")
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, "{$1}")}`);
  expect(
    operations()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(names.sort());
});

test("every operation has a unique id, a described tag, a summary, and a successful answer", () => {
  const ids = operations().map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const tags = api.tags.map(({ name }) => name);
  for (const { name, operationId, tags: own, summary, description, responses } of operations()) {
    expect(operationId, name).toMatch(/^[a-z][A-Za-z]+$/);
    expect(tags, name).toContain(own[0] ?? "");
    expect(summary, name).not.toBe("");
    if (description?.startsWith("Always refused")) continue;
    expect(Object.keys(responses).filter((status) => Number(status[0]) < 4).length, name).toBeGreaterThan(0);
  }
});

test("every parameter of a path is documented, and every parameter has a description", () => {
  for (const { name, parameters = [] } of operations()) {
    const inPath = parameters
      .filter((parameter) => parameter.in === "path")
      .map((parameter) => parameter.name);
    expect(inPath, name).toEqual([...name.matchAll(/\{(\w+)\}/g)].map(([, found = ""]) => found));
    for (const parameter of parameters) expect([name, parameter.description]).not.toEqual([name, ""]);
  }
});

test("every field of a body has a description", () => {
  for (const { name, requestBody } of operations()) {
    const { properties = {} } = requestBody?.content["application/json"]?.schema ?? {};
    for (const [field, { description }] of Object.entries(properties))
      expect([name, field, description || "nothing"]).not.toEqual([name, field, "nothing"]);
  }
});

/** Returns each example with the JSON pointer to the schema that it must fit. */
function examplesOf(content: Record<string, Content>, at: string): [where: string, example: unknown][] {
  return Object.entries(content).flatMap(([media, { example, examples = {} }]) => {
    const where = `${at}/content/${escaped(media)}/schema`;
    const named = Object.values(examples).map(
      ({ $ref = "" }) => api.components.examples[$ref.replace("#/components/examples/", "")]?.value,
    );
    return [...(example === undefined ? [] : [example]), ...named].map((one): [string, unknown] => [
      where,
      one,
    ]);
  });
}

const escaped = (name: string) => encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));

test("every example fits its schema, and every body has one", () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addSchema(api, "api");
  const found: [string, unknown][] = [];
  for (const { name, requestBody, responses } of operations()) {
    const [method = "", path = ""] = name.split(" ");
    const at = `/paths/${escaped(path)}/${method.toLowerCase()}`;
    const bodies = { requestBody, ...responses };
    for (const [key, body] of Object.entries(bodies)) {
      if (!body?.content) continue;
      const inside = key === "requestBody" ? `${at}/requestBody` : `${at}/responses/${key}`;
      const examples = examplesOf(body.content, inside);
      // What else an upstream may send is not known.
      if (!key.endsWith("XX")) expect([inside, examples.length]).not.toEqual([inside, 0]);
      found.push(...examples);
    }
  }
  for (const [name, { content = {} }] of Object.entries(api.components.responses))
    found.push(...examplesOf(content, `/components/responses/${name}`));
  const wrong = found.filter(([where, example]) => !ajv.compile({ $ref: `api#${where}` })(example));
  expect(wrong).toEqual([]);
  expect(found.length).toBeGreaterThan(200);
});

test("the schemas of our own answers allow no further fields", () => {
  const ofUpstreams = [
    ...["ChatCompletion", "Completion", "Embeddings", "Response", "Message", "TokenCount", "Item"],
    ...["Ranking", "Moderation", "Tokens", "DetokenizedText", "Transcription", "Images"],
    ...["OpenAIError", "MessagesError"],
    ...["OllamaChat", "OllamaGenerate", "OllamaEmbed", "OllamaEmbeddings", "OllamaError"],
  ];
  const schemas = Object.entries(api.components.schemas);
  const open = schemas.filter(([, { additionalProperties }]) => additionalProperties !== false);
  expect(open.map(([name]) => name).sort()).toEqual(ofUpstreams.sort());
});

describe("errors", () => {
  /** The caller has hung up, so this error is never read. */
  const UNREAD: ErrorCode[] = ["caller_gone"];

  test("every error code is listed on some route", () => {
    const told = Object.keys(api.components.examples).map((name) => name.split(".")[1]);
    const codes = Object.keys(ERRORS).filter((code) => !UNREAD.includes(code as ErrorCode));
    expect([...new Set(told)].sort() as string[]).toEqual(codes.sort());
  });

  test("every example is used, and every used example exists", () => {
    const used = [
      ...JSON.stringify([api.paths, api.components.responses]).matchAll(/components\/examples\/([\w.]+)/g),
    ];
    expect(new Set(used.map(([, name]) => name))).toEqual(new Set(Object.keys(api.components.examples)));
  });

  test("every route that needs a key documents the error for a wrong one", () => {
    for (const { name, security, responses } of operations()) {
      if (security.length > 0) expect(Object.keys(responses), name).toContain("401");
    }
  });

  test("every route documents when to retry", () => {
    for (const { name, responses } of operations()) {
      const { "429": busy } = responses;
      expect(Object.keys(busy?.headers ?? {}), name).toContain("retry-after");
    }
  });
});

test("the document reveals nothing about the machine it is served from or was made on", async () => {
  const text = JSON.stringify(api);
  const root = resolve(import.meta.dir, "../../..");
  for (const place of [root, process.cwd(), homedir(), Bun.main, hostname()])
    if (place.length > 3) expect(text).not.toContain(place);
  expect(text).not.toMatch(/"\/(?:home|root|usr|tmp|var|work)\b/);
  expect(JSON.stringify(createDocument("1.2.3", ROUTES))).toBe(text);
});
