import type { z } from "zod";
import { AppError, type ErrorCode } from "../../errors.ts";
import { jsonExcess } from "../../json/bounds.ts";
import { fieldPath } from "../../json/field-path.ts";
import { parseJson } from "../../json/parse.ts";
import { fieldHint } from "../errors/field-hint.ts";
import { piecesOf } from "./body-pieces.ts";
import { ACCEPTED_ENCODINGS, type Decode, decoderOf, isOverLimit } from "./decompress.ts";

export interface BodyLimits {
  bodyBytesMax: number;
  /** The time from the head of the request to the last byte of its body. */
  bodyWithinMs: number;
}

/**
 * Returns the body as text, decompressed, whatever its content type. A body is refused as soon as it is known
 * to be over the limit, compressed or not, and when it is not complete in time, even if its bytes keep
 * trickling in. Throws `code` if it cannot be decompressed.
 */
export async function readText(
  request: Request,
  { bodyBytesMax, bodyWithinMs }: BodyLimits,
  code: ErrorCode = "body_invalid",
): Promise<string> {
  const decode = decoderOf(request.headers.get("content-encoding"));
  if (decode === null) throw unsupportedEncoding();
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) > bodyBytesMax) throw tooLarge(bodyBytesMax);
  const { promise, resolve, reject } = Promise.withResolvers<string | Uint8Array>();
  const timer = setTimeout(() => reject(tooSlow(bodyWithinMs)), bodyWithinMs);
  // The rest of a late body fails when the connection is closed. Nobody waits for it.
  const text = length === null || decode ? readBytes(request.body, bodyBytesMax) : request.text();
  text.then(resolve, reject);
  try {
    const body = await promise;
    if (typeof body === "string") return body;
    return new TextDecoder().decode(decode ? await decompressed(decode, body, bodyBytesMax, code) : body);
  } catch (error) {
    // The runtime's error for a connection that was closed in the middle of a body.
    if (error instanceof Error && error.name === "AbortError") throw new AppError("caller_gone");
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function readBytes(body: ReadableStream<Uint8Array> | null, bytesMax: number): Promise<Uint8Array> {
  if (!body) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of piecesOf(body)) {
    bytes += piece.byteLength;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function decompressed(
  decode: Decode,
  bytes: Uint8Array,
  bytesMax: number,
  code: ErrorCode,
): Promise<Uint8Array> {
  try {
    return await decode(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    if (isOverLimit(error)) throw tooLarge(bytesMax);
    throw new AppError(code, { hint: "The body is not compressed as its Content-Encoding says." });
  }
}

/** Returns the JSON in `text`. Throws `code` if it is not JSON, nested too deeply, or has too many values. */
export function parseBody(text: string, code: ErrorCode): unknown {
  const excess = jsonExcess(text);
  if (excess !== undefined) throw new AppError(code, { hint: `The body is too complex. ${excess}` });
  const value = parseJson(text);
  if (value === undefined) throw new AppError(code, { hint: "The body must be one JSON object, in UTF-8." });
  return value;
}

/**
 * Returns the value as the schema reads it. Throws `code`, and names the first field at fault, with its whole path
 * if the value is the field at `path`.
 */
export function parseShape<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: ErrorCode,
  path = "",
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const param = fieldPath(issue?.path ?? [], path);
  throw new AppError(code, { ...(param !== "" && { param }), hint: fieldHint(param, issue?.message) });
}

function tooSlow(withinMs: number): AppError {
  return new AppError("body_timeout", {
    hint: `The request body was not received within ${withinMs / 1000} s.`,
  });
}

function unsupportedEncoding(): AppError {
  const hint = `The server decodes ${ACCEPTED_ENCODINGS}. Send the body in one of them, or uncompressed.`;
  return new AppError("encoding_unsupported", { hint });
}

function tooLarge(bytesMax: number): AppError {
  return new AppError("body_too_large", { hint: `The body may have up to ${bytesMax} bytes.` });
}
