import type { z } from "zod";
import { AppError, type ErrorCode } from "../../errors.ts";
import { jsonExcess } from "../../json/bounds.ts";

export interface BodyLimits {
  bodyBytesMax: number;
  /** How long it may take, from the head to its last byte. */
  bodyWithinMs: number;
}

/**
 * The body as text, whatever its content type. Refused as soon as it is known to be over the limit, and when it does
 * not come in time, however little by little it keeps coming.
 */
export async function readText(
  request: Request,
  { bodyBytesMax, bodyWithinMs }: BodyLimits,
): Promise<string> {
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) > bodyBytesMax) throw tooLarge(bodyBytesMax);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(tooSlow(bodyWithinMs)), bodyWithinMs);
  // Of a body that comes too late the rest fails when the connection is closed, and nobody waits for it.
  const text = length === null ? readChunks(request.body, bodyBytesMax) : request.text();
  text.then(resolve, reject);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

async function readChunks(body: ReadableStream<Uint8Array> | null, bytesMax: number): Promise<string> {
  if (!body) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** The JSON in `text`; with `code` as the error when it is none, or out of all proportion. */
export function parseJson(text: string, code: ErrorCode): unknown {
  const excess = jsonExcess(text);
  if (excess !== undefined) throw new AppError(code, { hint: `${excess} That is too much for a body.` });
  try {
    return JSON.parse(text);
  } catch {
    throw new AppError(code, { hint: "The body must be one JSON object, in UTF-8." });
  }
}

/** The value as the schema has it. The hint names the first field at fault, never what was in it. */
export function parseShape<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: ErrorCode,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.length ? issue.path.join(".") : "body";
  throw new AppError(code, { hint: `${field}: ${issue?.message ?? "invalid"}` });
}

function tooSlow(withinMs: number): AppError {
  return new AppError("body_timeout", { hint: `A body must be here within ${withinMs / 1000} s.` });
}

function tooLarge(bytesMax: number): AppError {
  return new AppError("body_too_large", { hint: `A body may have up to ${bytesMax} bytes.` });
}
