import type { z } from "zod";
import { AppError, type ErrorCode } from "../../errors.ts";
import { jsonExcess } from "../../json/bounds.ts";
import { fieldPath } from "../../json/field-path.ts";
import { parseJson } from "../../json/parse.ts";
import { freeBytes } from "../../protocol/bytes/free-bytes.ts";
import { fieldHint } from "../errors/field-hint.ts";
import type { Exchange } from "../exchange.ts";
import { piecesOf } from "./body-pieces.ts";
import type { BodyPlace } from "./body-room.ts";
import { ACCEPTED_ENCODINGS, type Decode, decoderOf } from "./compression/decompress.ts";

export interface BodyLimits {
  bodyBytesMax: number;
  /** The time from the head of the request to the last byte of a small body. */
  bodyWithinMs: number;
}

/** The time for a body of a request without a right key. No such body is large. */
const STRANGER_WITHIN_MS = 5_000;

/** Bytes that have arrived give a body more time, so that a slow upload is received as long as it goes on. */
const BYTES_PER_S_MIN = 16 * 1024;

/** A body of at most so many bytes is small: the runtime reads it as a whole, and its bytes give it no time. */
const SMALL_BYTES = 64 * 1024;

/** Who sends a body. */
interface Sender {
  /** Given for a request that has not shown a right key: it has less time, and ends with the signal's reason. */
  stranger?: AbortSignal;
  /** Ends the reading, with the signal's reason. */
  cut?: AbortSignal;
  /** The place in which the bytes count, unless they are few. */
  place?: BodyPlace;
}

/**
 * Returns the body as text, decompressed, whatever its content type. A body is refused as soon as it is known
 * to be over the limit, compressed or not, when there is no room for it, and when it is not complete in time, even
 * if its bytes keep trickling in. Throws `code` if it cannot be decompressed.
 */
export function readText(
  exchange: Exchange,
  { bodyBytesMax, bodyWithinMs }: BodyLimits,
  code: ErrorCode = "body_invalid",
  { stranger, cut, place }: Sender = {},
): Promise<string> {
  const { request } = exchange;
  const decode = decoderOf(request.headers.get("content-encoding"));
  if (decode === null) throw unsupportedEncoding();
  const length = request.headers.get("content-length");
  if (length !== null && Number(length) > bodyBytesMax) throw tooLarge(bodyBytesMax);
  const withinMs = stranger ? Math.min(bodyWithinMs, STRANGER_WITHIN_MS) : bodyWithinMs;
  const isSmall = length !== null && Number(length) <= SMALL_BYTES && !decode;
  if (isSmall) return inTime(exchange, request.text(), withinMs, { bytes: 0 }, stranger ?? cut);
  const isKnown = length !== null && !decode;
  if (isKnown) place?.grow(Number(length));
  return readPieces(exchange, { bodyBytesMax, withinMs, decode, code, stranger, cut, place, isKnown });
}

interface PiecesOptions {
  bodyBytesMax: number;
  withinMs: number;
  decode: Decode | undefined;
  code: ErrorCode;
  stranger: AbortSignal | undefined;
  cut: AbortSignal | undefined;
  place: BodyPlace | undefined;
  /** Whether the place has room for all of its bytes already. */
  isKnown: boolean;
}

/** Reads a body that is large, compressed, or of unknown length. */
async function readPieces(
  exchange: Exchange,
  { bodyBytesMax, withinMs, decode, code, stranger, cut, place, isKnown }: PiecesOptions,
): Promise<string> {
  const arrival: Arrival = { bytes: 0, isOver: false, place: isKnown ? undefined : place };
  try {
    const reading = readBytes(exchange.request.body, bodyBytesMax, arrival);
    const counted = stranger ? { bytes: 0 } : arrival;
    const bytes = await inTime(exchange, reading, withinMs, counted, stranger ?? cut);
    return decode
      ? await decompressed(decode, bytes, { bytesMax: bodyBytesMax, code, place })
      : decoded(bytes);
  } finally {
    arrival.isOver = true;
  }
}

/**
 * Whether a request has a body that was not read to its end. A small body that nobody began to read does not
 * count: the runtime drops it, and the connection goes on.
 */
export function hasUnreadBody({ request, isBodyRead }: Exchange): boolean {
  if (isBodyRead) return false;
  const { headers } = request;
  const length = headers.get("content-length");
  if (length === null) return headers.has("transfer-encoding");
  return Number(length) > (request.bodyUsed ? 0 : SMALL_BYTES);
}

/** Rejects if the body is not complete in time, of which the bytes that have arrived give it more. */
export function inTime<Body>(
  exchange: Exchange,
  body: Promise<Body>,
  withinMs: number,
  arrival: { readonly bytes: number },
  signal: AbortSignal | undefined,
): Promise<Body> {
  const { promise, resolve, reject } = Promise.withResolvers<Body>();
  const startedAt = performance.now();
  const check = () => {
    const leftMs = startedAt + withinMs + (arrival.bytes / BYTES_PER_S_MIN) * 1000 - performance.now();
    if (leftMs < 1) fail(tooSlow(withinMs));
    else timer = setTimeout(check, leftMs);
  };
  let timer = setTimeout(check, withinMs);
  const cut = () => fail(signal?.reason);
  signal?.addEventListener("abort", cut);
  const end = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", cut);
  };
  const fail = (error: unknown) => {
    end();
    reject(isGone(error) ? new AppError("caller_gone") : error);
  };
  // The rest of a late body fails when the connection is closed. Nobody waits for it.
  body.then((whole) => {
    end();
    exchange.isBodyRead = true;
    resolve(whole);
  }, fail);
  return promise;
}

/** Whether it is the runtime's error for a connection that was closed in the middle of a body. */
const isGone = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";

interface Arrival {
  bytes: number;
  isOver: boolean;
  /** The place in which they count as they arrive; undefined if they all count already. */
  place: BodyPlace | undefined;
}

/** Counts the bytes in `arrival`, and stops once that is over. */
async function readBytes(
  body: ReadableStream<Uint8Array> | null,
  bytesMax: number,
  arrival: Arrival,
): Promise<Uint8Array> {
  if (!body) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  for await (const piece of piecesOf(body)) {
    arrival.bytes += piece.byteLength;
    if (arrival.bytes > bytesMax) throw tooLarge(bytesMax);
    if (arrival.isOver) break;
    arrival.place?.grow(piece.byteLength);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Returns the text, and frees the bytes, for which the garbage collector might take seconds. */
function decoded(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  freeBytes(bytes);
  return text;
}

async function decompressed(
  decode: Decode,
  bytes: Uint8Array,
  { bytesMax, code, place }: { bytesMax: number; code: ErrorCode; place: BodyPlace | undefined },
): Promise<string> {
  let held = bytes.byteLength;
  try {
    const whole = await decode(bytes, (output) => {
      if (output > bytesMax) throw tooLarge(bytesMax);
      if (output <= held) return;
      place?.grow(output - held);
      held = output;
    });
    return decoded(whole);
  } catch (error) {
    if (error instanceof AppError) throw error;
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
    hint: `The request body was not received within ${withinMs / 1000} s. Large bodies may take 1 s more for each 16 KB.`,
  });
}

function unsupportedEncoding(): AppError {
  const hint = `The server decodes ${ACCEPTED_ENCODINGS}. Send the body in one of them, or uncompressed.`;
  return new AppError("encoding_unsupported", { hint });
}

export function tooLarge(bytesMax: number): AppError {
  return new AppError("body_too_large", { hint: `The body may have up to ${bytesMax} bytes.` });
}
