export const JSON_TYPE = "application/json";

/** A JSON Schema of 2020-12, as far as the documentation reads it. */
export interface Shape {
  $ref?: string;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Shape>;
  required?: string[];
  items?: Shape;
  anyOf?: Shape[];
  oneOf?: Shape[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  format?: string;
  additionalProperties?: boolean | Shape;
}

interface Example {
  $ref?: string;
  value?: unknown;
}

export interface Content {
  schema: Shape;
  example?: unknown;
  examples?: Record<string, Example>;
}

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  description: string;
  schema: Shape;
}

export interface Answered {
  description: string;
  headers?: Record<string, { $ref: string }>;
  content?: Record<string, Content>;
}

export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, Answered>;
}

/** The OpenAPI document, as far as its page reads it. */
export interface ApiDocument {
  openapi: string;
  info: { title: string; version: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, Shape>;
    examples: Record<string, Example>;
    responses: Record<string, Answered>;
    headers: Record<string, { description: string; schema: Shape }>;
    securitySchemes: Record<string, { description: string }>;
  };
}
