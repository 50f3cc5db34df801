import { z } from "zod";
import { AppError, ERRORS, type ErrorCode } from "../../errors.ts";
import { anthropicStyle } from "../errors/anthropic.ts";
import { openaiStyle } from "../errors/openai.ts";
import { referenceStyle } from "../errors/reference.ts";
import type { ErrorStyle } from "../errors/style.ts";
import { SAMPLE, text } from "../values.ts";
import { type HeaderName, headersOf } from "./headers.ts";
import { JSON_TYPE } from "./shape.ts";

/** The errors that every route may return. */
const EVERYWHERE: readonly ErrorCode[] = ["url_too_long", "host_invalid", "address_busy", "internal"];

/** The further fields that some errors have. */
const EXAMPLE_EXTRA: Partial<Record<ErrorCode, Record<string, unknown>>> = {
  agent_lost: { err: "the agent went away" },
  agent_timeout: { err: "no answer within the time limit" },
  agent_failed: { err: "the model is not loaded" },
  agent_answer_invalid: { response: { id: "…", message: "error", data: "Unknown error" } },
};

/**
 * The error of the reference's routes and those beside them. `err`, `response` and `message` are the
 * reference's.
 */
const TextError = z
  .strictObject({
    error: text,
    hint: text.optional(),
    err: text.optional(),
    message: text.optional(),
    response: z.looseObject({}).optional(),
  })
  .meta({ id: "TextError" });

/** Upstreams add fields of their own, and some send a number as the code. */
const OpenAIError = z
  .looseObject({
    error: z.looseObject({
      message: text,
      type: text.nullish(),
      param: text.nullish(),
      code: z.union([text, z.number()]).nullish(),
      request_id: text.optional(),
    }),
  })
  .meta({ id: "OpenAIError" });

const MessagesError = z
  .looseObject({
    type: z.literal("error"),
    error: z.looseObject({ type: text, message: text }),
    request_id: text.optional(),
  })
  .meta({ id: "MessagesError" });

interface Family {
  name: string;
  schema: z.ZodType;
}

const REFERENCE: Family = { name: "reference", schema: TextError };
const OPENAI: Family = { name: "openai", schema: OpenAIError };
const MESSAGES: Family = { name: "messages", schema: MessagesError };

/** Returns the family of the style, as Responses have the errors of the other OpenAI-style routes. */
function familyOf(style: ErrorStyle): Family {
  if (style === referenceStyle) return REFERENCE;
  return style === anthropicStyle ? MESSAGES : OPENAI;
}

/** Returns the schema of a route's errors. */
export function errorSchemaOf(style: ErrorStyle = referenceStyle): z.ZodType {
  return familyOf(style).schema;
}

/** Example errors by name. */
export type Examples = Record<string, { summary: string; value: unknown }>;

/** Returns a reference to the component that `errorSchemaOf` becomes. */
export const errorRefOf = (style: ErrorStyle = referenceStyle) => ({
  $ref: `#/components/schemas/${errorSchemaOf(style).meta()?.["id"]}`,
});

export interface ErrorAnswer {
  status: string;
  codes: ErrorCode[];
  /** References into `components.examples`, by code. */
  examples: Record<string, { $ref: string }>;
}

/** Returns the errors of a route, one entry for each status. Adds the examples to `found`, by name. */
export function errorAnswers(
  style: ErrorStyle | undefined,
  codes: readonly ErrorCode[],
  found: Examples,
): ErrorAnswer[] {
  const answers = new Map<string, ErrorAnswer>();
  for (const code of new Set([...codes, ...EVERYWHERE])) {
    const status = String(ERRORS[code].status);
    const answer = answers.get(status) ?? { status, codes: [], examples: {} };
    answer.codes.push(code);
    answer.examples[code] = exampleOf(style, code, found);
    answers.set(status, answer);
  }
  return [...answers.values()].sort((a, b) => Number(a.status) - Number(b.status));
}

function exampleOf(style: ErrorStyle = referenceStyle, code: ErrorCode, found: Examples): { $ref: string } {
  const name = `${familyOf(style).name}.${code}`;
  const extra = EXAMPLE_EXTRA[code];
  const error = new AppError(code, extra && { extra });
  found[name] = { summary: error.message, value: style.body(error, ERRORS[code].status, SAMPLE.requestId) };
  return { $ref: `#/components/examples/${name}` };
}

/** One style of each family. */
const STYLES = [referenceStyle, openaiStyle, anthropicStyle];

/**
 * Returns `components.responses`: what is answered where there is no route, in the style of the routes
 * nearby.
 */
export function strayAnswers(found: Examples) {
  const answerOf = (code: ErrorCode, description: string, more: readonly HeaderName[]) => ({
    description,
    headers: headersOf(String(ERRORS[code].status), { more }),
    content: {
      [JSON_TYPE]: {
        schema: { anyOf: STYLES.map(errorRefOf) },
        examples: Object.fromEntries(
          STYLES.map((style) => [familyOf(style).name, exampleOf(style, code, found)]),
        ),
      },
    },
  });
  return {
    not_found: answerOf("not_found", "There is no such path.", []),
    method_not_allowed: answerOf("method_not_allowed", "The path does not accept this method.", ["allow"]),
  };
}
