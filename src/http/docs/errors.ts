import { z } from "zod";
import { AppError, ERRORS, type ErrorCode } from "../../errors.ts";
import { anthropicStyle } from "../errors/anthropic.ts";
import { ollamaStyle } from "../errors/ollama.ts";
import { openaiStyle } from "../errors/openai.ts";
import { referenceStyle } from "../errors/reference.ts";
import type { ErrorStyle } from "../errors/style.ts";
import { namedObject, SAMPLE, text } from "../values.ts";
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

/** The error of the routes that are not a model API. `err`, `response` and `message` are the reference's. */
const TextError = namedObject("TextError", {
  error: text,
  hint: text.optional(),
  err: text.optional(),
  message: text.optional(),
  response: z.looseObject({}).optional(),
});

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

const OllamaError = z.looseObject({ error: text }).meta({ id: "OllamaError" });

/** The shapes of errors, each with a style that has it. */
const FAMILIES = [
  { name: "reference", style: referenceStyle, schema: TextError },
  { name: "openai", style: openaiStyle, schema: OpenAIError },
  { name: "messages", style: anthropicStyle, schema: MessagesError },
  { name: "ollama", style: ollamaStyle, schema: OllamaError },
] as const;

/** Returns the family of a route's errors. Responses have the errors of the other OpenAI-style routes. */
function familyOf(style: ErrorStyle = referenceStyle) {
  return FAMILIES.find((family) => family.style === style) ?? FAMILIES[1];
}

/** Returns the schema of a route's errors. */
export const errorSchemaOf = (style?: ErrorStyle): z.ZodType => familyOf(style).schema;

/** Returns a reference to the component that `errorSchemaOf` becomes. */
export const errorRefOf = (style?: ErrorStyle) => ({
  $ref: `#/components/schemas/${familyOf(style).schema.meta()?.["id"]}`,
});

/** Example errors by name. */
export type Examples = Record<string, { summary: string; value: unknown }>;

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

/**
 * Returns `components.responses`: the answers to requests without a route, which have the style of the route
 * that is closest.
 */
export function strayAnswers(found: Examples) {
  const answerOf = (code: ErrorCode, description: string, more: readonly HeaderName[]) => ({
    description,
    headers: headersOf(String(ERRORS[code].status), { more }),
    content: {
      [JSON_TYPE]: {
        schema: { anyOf: FAMILIES.map(({ style }) => errorRefOf(style)) },
        examples: Object.fromEntries(
          FAMILIES.map(({ name, style }) => [name, exampleOf(style, code, found)]),
        ),
      },
    },
  });
  return {
    not_found: answerOf("not_found", "There is no such path.", []),
    method_not_allowed: answerOf("method_not_allowed", "The path does not accept this method.", ["allow"]),
    websocket_refused: answerOf("websocket_refused", "The path does not accept a WebSocket.", [
      "allow",
      "upgrade",
    ]),
  };
}
