import type { z } from "zod";
import { AppError, type ErrorCode } from "../../errors.ts";
import { jsonExcess } from "../../json/bounds.ts";
import { parseJson } from "../../json/parse.ts";
import { fieldHint } from "../errors/field-hint.ts";
import { piecesOf } from "./body-pieces.ts";

export interface BodyLimits {
  bodyBytesMax: number;
  /** The time from the head of the request to the last byte of its body. */
  bodyWithinMs: number;
}

/**
 * Returns the body as text, whatever its content type. A body is refused as soon as it is known to be over
 * the limit, and when it is not complete in time, even if its bytes keep trickling in.
 */
export async function readText(
  request: Request,
  { bodyBytesMax, bodyWithinMs }: BodyLimits,
): Promise<string> {
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) > bodyBytesMax) throw tooLarge(bodyBytesMax);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(tooSlow(bodyWithinMs)), bodyWithinMs);
  // The rest of a late body fails when the connection is closed. Nobody waits for it.
  const text = length === null ? readChunks(request.body, bodyBytesMax) : request.text();
  text.then(resolve, reject);
  try {
    return await promise;
  } catch (error) {
    // The runtime's error for a connection that was closed in the middle of a body.
    if (error instanceof Error && error.name === "AbortError") throw new AppError("caller_gone");
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function readChunks(body: ReadableStream<Uint8Array> | null, bytesMax: number): Promise<string> {
  if (!body) return "";
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of piecesOf(body)) {
    bytes += piece.byteLength;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    pieces.push(piece);
  }
  return new TextDecoder().decode(Buffer.concat(pieces));
}

/** Returns the JSON in `text`. Throws `code` if it is not JSON, nested too deeply, or has too many values. */
export function parseBody(text: string, code: ErrorCode): unknown {
  const excess = jsonExcess(text);
  if (excess !== undefined) throw new AppError(code, { hint: `The body is too complex. ${excess}` });
  const value = parseJson(text);
  if (value === undefined) throw new AppError(code, { hint: "The body must be one JSON object, in UTF-8." });
  return value;
}

/** Returns the value as the schema reads it. Throws `code`, and its hint names the first field at fault. */
export function parseShape<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: ErrorCode,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new AppError(code, { hint: fieldHint(issue?.path.join(".") ?? "", issue?.message) });
}

function tooSlow(withinMs: number): AppError {
  return new AppError("body_timeout", {
    hint: `The request body was not received within ${withinMs / 1000} s.`,
  });
}

function tooLarge(bytesMax: number): AppError {
  return new AppError("body_too_large", { hint: `The body may have up to ${bytesMax} bytes.` });
}
