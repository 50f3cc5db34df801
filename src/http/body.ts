import type { z } from "zod";
import { AppError, type ErrorCode } from "../errors.ts";

/** The body as text, whatever its content type, refused as soon as it is known to be over the limit. */
export async function readText(request: Request, bytesMax: number): Promise<string> {
  const length = request.headers.get("content-length");
  if (length !== null) {
    if (Number(length) > bytesMax) throw tooLarge(bytesMax);
    return request.text();
  }
  if (!request.body) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** The JSON in `text`; with `code` as the error when it is none. */
export function parseJson(text: string, code: ErrorCode): unknown {
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

function tooLarge(bytesMax: number): AppError {
  return new AppError("body_too_large", { hint: `A body may have up to ${bytesMax} bytes.` });
}
