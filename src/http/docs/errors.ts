import type { z } from "zod";
import { AppError, ERRORS, type ErrorCode } from "../../errors.ts";
import { MessagesError, OpenAIError, TextError } from "../answers.ts";
import { anthropicStyle } from "../errors/anthropic.ts";
import { referenceStyle } from "../errors/reference.ts";
import type { ErrorStyle } from "../errors/style.ts";
import { errorStyleOf } from "../errors/style-of-path.ts";
import { JSON_TYPE } from "./describe.ts";
import { type HeaderName, headersOf } from "./headers.ts";
import type { Answered } from "./shape.ts";

/** What every route may answer. */
const EVERYWHERE: readonly ErrorCode[] = ["url_too_long", "host_invalid", "address_busy", "internal"];

const EXAMPLE_ID = "req_6f1c2c1e-2b1e-4a55-9a0e-6d5b2f0f1a11";

/** Without them the example would not show what is told. */
const EXAMPLE_EXTRA: Partial<Record<ErrorCode, Record<string, unknown>>> = {
  agent_lost: { err: "the agent went away" },
  agent_timeout: { err: "no answer within the time limit" },
  agent_failed: { err: "the model is not loaded" },
  agent_answer_invalid: { response: { id: "…", message: "error", data: "Unknown error" } },
};

type Family = "reference" | "openai" | "messages";

function familyOf(style: ErrorStyle): Family {
  if (style === referenceStyle) return "reference";
  return style === anthropicStyle ? "messages" : "openai";
}

const SCHEMAS: Record<Family, z.ZodType> = {
  reference: TextError,
  openai: OpenAIError,
  messages: MessagesError,
};

/** The schema of a path's errors. */
export function errorSchemaOf(path: string): z.ZodType {
  return SCHEMAS[familyOf(errorStyleOf(path))];
}

/** By name. */
export type Examples = Record<string, { summary: string; value: unknown }>;

/** The same, where it is a component already. */
export const errorRefOf = (path: string) => ({
  $ref: `#/components/schemas/${errorSchemaOf(path).meta()?.["id"]}`,
});

export interface ErrorAnswer {
  status: string;
  codes: ErrorCode[];
  /** By the code; to be referred to in `components.examples`. */
  examples: Record<string, { $ref: string }>;
}

/** The errors of a route, one entry for each status. What an example is of goes into `found`, under its name. */
export function errorAnswers(path: string, codes: readonly ErrorCode[], found: Examples): ErrorAnswer[] {
  const answers = new Map<string, ErrorAnswer>();
  for (const code of new Set([...codes, ...EVERYWHERE])) {
    const status = String(ERRORS[code].status);
    const answer = answers.get(status) ?? { status, codes: [], examples: {} };
    answer.codes.push(code);
    answer.examples[code] = exampleOf(path, code, found);
    answers.set(status, answer);
  }
  return [...answers.values()].sort((a, b) => Number(a.status) - Number(b.status));
}

function exampleOf(path: string, code: ErrorCode, found: Examples): { $ref: string } {
  const style = errorStyleOf(path);
  const name = `${familyOf(style)}.${code}`;
  const extra = EXAMPLE_EXTRA[code];
  const error = new AppError(code, extra && { extra });
  found[name] = { summary: error.message, value: style.body(error, ERRORS[code].status, EXAMPLE_ID) };
  return { $ref: `#/components/examples/${name}` };
}

/** One of each family. */
const STRAY_PATHS = ["/nothing", "/v1/nothing", "/v1/messages/nothing"];

/** `components.responses`: what is answered where no route is, in the words of the path's family. */
export function strayAnswers(found: Examples): Record<string, Answered> {
  const answerOf = (code: ErrorCode, description: string, more: readonly HeaderName[]): Answered => ({
    description,
    headers: headersOf(String(ERRORS[code].status), { more }),
    content: {
      [JSON_TYPE]: {
        schema: { anyOf: STRAY_PATHS.map(errorRefOf) },
        examples: Object.fromEntries(STRAY_PATHS.map((path) => [path, exampleOf(path, code, found)])),
      },
    },
  });
  return {
    not_found: answerOf("not_found", "There is no such path.", []),
    method_not_allowed: answerOf("method_not_allowed", "The path takes other methods.", ["allow"]),
  };
}
