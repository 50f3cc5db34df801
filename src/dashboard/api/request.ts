/** An answer that is no success, or none at all: `message` is a text for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** 0 where there was no answer. */
  readonly status: number;
  /** What one can do about it. */
  readonly hint: string | undefined;
  /** When to try again. */
  readonly retryAfterS: number | undefined;

  constructor(status: number, message: string, hint?: string, retryAfterS?: number) {
    super(message);
    this.status = status;
    this.hint = hint;
    this.retryAfterS = retryAfterS;
  }
}

export interface RequestOptions {
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

let endSession: () => void = () => undefined;

/** What is done when an answer says that nobody is signed in any more. */
export function onSessionEnd(listener: () => void): void {
  endSession = listener;
}

/**
 * Asks this server, as whoever is signed in, and resolves with an answer that is a success: for streams and files.
 * Rejects with an `ApiError`, or with an `AbortError` when `signal` fires.
 */
export async function send(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
  const { body, headers, signal } = options;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "The server cannot be reached.");
  }
  if (response.ok) return response;
  if (response.status === 401 && !headers?.["authorization"]) endSession();
  throw await readError(response);
}

/** As `send`, with the answer's JSON. Page and server are one build, so its shape is that of `protocol`. */
export async function request<T>(method: string, path: string, options?: RequestOptions): Promise<T> {
  const response = await send(method, path, options);
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (options?.signal?.aborted) throw error;
    throw new ApiError(response.status, "The answer is no JSON. Is there a proxy in between?");
  }
}

/** Both forms that the API has: `{"error":"text","hint":"…"}` and `{"error":{"message":"…"}}`. */
async function readError(response: Response): Promise<ApiError> {
  const retryAfterS = Number(response.headers.get("retry-after") ?? Number.NaN);
  const body: unknown = await response.json().catch(() => undefined);
  const { message, hint } = readErrorBody(body);
  return new ApiError(
    response.status,
    message ?? `The server answered with status ${response.status}.`,
    hint,
    Number.isFinite(retryAfterS) ? retryAfterS : undefined,
  );
}

function readErrorBody(body: unknown): { message: string | undefined; hint: string | undefined } {
  if (!isRecord(body)) return { message: undefined, hint: undefined };
  const { error } = body;
  const inner = isRecord(error) ? error : {};
  return {
    message: readText(error) ?? readText(inner["message"]),
    hint: readText(body["hint"]) ?? readText(inner["hint"]),
  };
}

/** What went wrong, for people: with what one can do, and when to try again. */
export function textOf(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const { message, hint, retryAfterS } = error;
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  const again = retryAfterS === undefined ? "" : `Try again in ${Math.max(1, Math.ceil(retryAfterS))} s.`;
  return [sentence, hint, again].filter(Boolean).join(" ");
}

/** A path with its parts encoded, and with those fields of the query that have a value. */
export function pathOf(
  parts: readonly string[],
  query: Record<string, string | number | boolean | undefined> = {},
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value));
  }
  const path = `/${parts.map(encodeURIComponent).join("/")}`;
  return search.size > 0 ? `${path}?${search}` : path;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function readText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
