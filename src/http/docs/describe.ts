import type { z } from "zod";
import type { ErrorCode } from "../../errors.ts";
import { errorStyleOf } from "../errors/style-of-path.ts";
import type { Access, BodyDeclaration, NamedRoute } from "../route.ts";
import type { HeaderName } from "./headers.ts";
import { JSON_TYPE } from "./shape.ts";
import type { Tag } from "./tags.ts";

export { JSON_TYPE };

/** The description of a route that is not declared with `route` yet. */
export interface Description {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  id: string;
  tag: Tag;
  summary: string;
  description?: string;
  key: Access;
  parameters?: { name: string; description: string }[];
  body?: BodyDeclaration;
  answers: Record<string, Answer>;
  errors?: readonly ErrorCode[];
  isLimited?: boolean;
  isPassedOn?: boolean;
}

interface Answer {
  description: string;
  content?: Record<string, AnswerContent>;
  headers?: readonly HeaderName[];
}

interface AnswerContent {
  schema: z.ZodType | { type: string; description: string };
  example: unknown;
}

export function describedRoute({
  id,
  key,
  parameters,
  answers,
  isLimited,
  isPassedOn,
  ...same
}: Description): NamedRoute {
  return {
    ...same,
    operationId: id,
    access: key,
    ...(parameters && {
      params: Object.fromEntries(parameters.map(({ name, description }) => [name, description])),
    }),
    ...(isLimited && { limits: "admit" }),
    ...(isPassedOn && { passesErrorsOn: true }),
    style: errorStyleOf(same.path),
    answers: Object.fromEntries(
      Object.entries(answers).map(([status, { content = {}, ...answer }]) => {
        const { [JSON_TYPE]: json, ...other } = content;
        return [
          status,
          {
            ...answer,
            ...(json && { json: json.schema as z.ZodType, example: json.example }),
            other: Object.fromEntries(
              Object.entries(other).map(([media, { schema, example }]) => [
                media,
                { description: schema.description ?? "", example: String(example) },
              ]),
            ),
          },
        ];
      }),
    ),
  };
}

export function jsonAnswer(description: string, schema: z.ZodType, example: unknown): Answer {
  return { description, content: { [JSON_TYPE]: { schema, example } } };
}

export const textContent = (description: string, example: string): AnswerContent => ({
  schema: { type: "string", description },
  example,
});

type Notes<Schema extends z.ZodObject> = Record<keyof z.input<Schema> & string, string>;

export function bodyOf<Schema extends z.ZodObject>(
  schema: Schema,
  notes: Notes<Schema>,
  { example, isRequired = true }: { example: unknown; isRequired?: boolean },
): BodyDeclaration {
  return { schema: withNotes(schema, notes), example, isRequired };
}

/** Returns the schema with a description for each field. */
export function withNotes<Schema extends z.ZodObject>(schema: Schema, notes: Notes<Schema>): z.ZodObject {
  const fields = Object.entries(schema.shape).map(([name, field]) => [
    name,
    (field as z.ZodType).describe((notes as Record<string, string>)[name] ?? ""),
  ]);
  return schema.extend(Object.fromEntries(fields));
}

export const inPath = (name: string, description: string) => ({ name, description });
