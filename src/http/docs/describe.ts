import { z } from "zod";
import type { ErrorCode } from "../../errors.ts";
import type { HeaderName } from "./headers.ts";
import type { KeyKind } from "./keys.ts";
import type { Content, Parameter, Shape } from "./shape.ts";

export const TAGS = [
  { name: "Asks", description: "Ask, and go on with a conversation, in the words of the reference server." },
  {
    name: "Models",
    description: "OpenAI-style and Anthropic-style routes: SDKs work by changing their base URL.",
  },
  { name: "Users", description: "For the administrator: users, their tokens and their limits." },
  { name: "Usage", description: "Who asked how much; never what." },
  { name: "Agents", description: "For the administrator: the agents that are connected, and their keys." },
  { name: "Server", description: "For the administrator: what goes on, the settings, and the data." },
  { name: "Sessions", description: "Signing a browser in and out, as the dashboard does." },
  { name: "Registration", description: "Where agents connect: WebSockets, described in words." },
  {
    name: "Operations",
    description: "For probes, figures, and this description. Its routes need no secret to be read.",
  },
] as const;

/** A route, as it is told to callers. Each route of the app has one; a test sees to it. */
export interface Description {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** As the route has it. */
  path: string;
  id: string;
  tag: (typeof TAGS)[number]["name"];
  summary: string;
  description?: string;
  key: KeyKind;
  parameters?: Parameter[];
  body?: Body;
  /** By status. Errors of the table need none. */
  answers: Record<string, Answer>;
  errors?: readonly ErrorCode[];
  /** Its answers tell a user how he stands with his limits. */
  isLimited?: boolean;
  /** An upstream's error has a status of its own. */
  isPassedOn?: boolean;
}

interface Body extends Content {
  isRequired: boolean;
}

export interface Answer {
  description: string;
  /** By media type; missing where there is no body. */
  content?: Record<string, AnswerContent>;
  headers?: readonly HeaderName[];
}

/** A schema with an `id` becomes a component. */
export interface AnswerContent {
  schema: z.ZodType | Shape;
  example: unknown;
}

export const JSON_TYPE = "application/json";

/** An answer of one JSON value. */
export function jsonAnswer(description: string, schema: z.ZodType, example: unknown): Answer {
  return { description, content: { [JSON_TYPE]: { schema, example } } };
}

/** An answer of text of another kind. */
export const textContent = (description: string, example: string): AnswerContent => ({
  schema: { type: "string", description },
  example,
});

type Notes<Schema extends z.ZodObject> = Record<keyof z.input<Schema> & string, string>;

/** The body, as the schema that validates it has it, with a note for each field. */
export function bodyOf<Schema extends z.ZodObject>(
  schema: Schema,
  notes: Notes<Schema>,
  { example, isRequired = true }: { example: unknown; isRequired?: boolean },
): Body {
  return {
    // Made when it is looked at, as most servers are never asked for the description.
    get schema() {
      return noted(schema, notes);
    },
    example,
    isRequired,
  };
}

/** The parameters of the query, as the schema that validates it has them. */
export function queryOf<Schema extends z.ZodObject>(schema: Schema, notes: Notes<Schema>): Parameter[] {
  const { properties = {}, required = [] } = noted(schema, notes);
  return Object.entries(properties).map(([name, { description = "", ...property }]) => ({
    ...{ name, in: "query", description, required: required.includes(name) },
    schema: property,
  }));
}

/** A parameter of the path. */
export const inPath = (name: string, description: string): Parameter => ({
  ...{ name, in: "path", description, required: true },
  schema: { type: "string" },
});

function noted(schema: z.ZodObject, notes: Record<string, string>): Shape {
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const properties = Object.entries((shape as Shape).properties ?? {}).map(([name, property]) => [
    name,
    { ...property, description: notes[name] ?? "" },
  ]);
  return { ...(shape as Shape), properties: Object.fromEntries(properties) };
}
