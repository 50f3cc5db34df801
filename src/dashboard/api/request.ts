import { text } from "../texts/texts.ts";
/** A failed request: an error response, or no response at all. `message` is a text for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The HTTP status; 0 if there was no response. */
  readonly status: number;
  /** Advice on what to do about the error. */
  readonly hint: string | undefined;
  /** The number of seconds after which to try again. */
  readonly retryAfterS: number | undefined;
  /** The id under which the server knows the request. */
  readonly requestId: string | undefined;

  constructor(status: number, message: string, hint?: string, retryAfterS?: number, requestId?: string) {
    super(message);
    this.status = status;
    this.hint = hint;
    this.retryAfterS = retryAfterS;
    this.requestId = requestId;
  }
}

export interface RequestOptions {
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

let endSession: () => void = () => undefined;

/** Sets the function that is called when a response says that the session has ended. */
export function onSessionEnd(listener: () => void): void {
  endSession = listener;
}

/**
 * Sends a request to this server with the current session, and resolves with a successful response. Use it
 * directly for streams and files. Rejects with an `ApiError`, or with an `AbortError` when `signal` fires.
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
    throw new ApiError(0, text("error.unreachable"));
  }
  if (response.ok) return response;
  if (response.status === 401 && !headers?.["authorization"]) endSession();
  throw await readError(response);
}

/**
 * Resolves with the JSON of the response to `send`. Its type can be trusted: page and server are one build.
 */
export async function request<T>(method: string, path: string, options?: RequestOptions): Promise<T> {
  const response = await send(method, path, options);
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (options?.signal?.aborted) throw error;
    throw new ApiError(response.status, text("error.notJson"));
  }
}

/** Reads both error forms of the API: `{"error":"text","hint":"…"}` and `{"error":{"message":"…"}}`. */
async function readError(response: Response): Promise<ApiError> {
  const retryAfterS = Number(response.headers.get("retry-after") ?? Number.NaN);
  const body: unknown = await response.json().catch(() => undefined);
  const { message, hint } = readErrorBody(body);
  return new ApiError(
    response.status,
    message ?? text("error.status", { status: response.status }),
    hint,
    Number.isFinite(retryAfterS) ? retryAfterS : undefined,
    response.headers.get("x-request-id") ?? undefined,
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

const SAYS_WHEN = /try again in/i;

/** Returns a text for people: what went wrong, what to do, and when to try again. */
export function errorText(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const { message, hint, retryAfterS } = error;
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  // Some messages say it themselves, such as those of limits.
  const isSaid = SAYS_WHEN.test(message) || SAYS_WHEN.test(hint ?? "");
  const again =
    retryAfterS === undefined || isSaid
      ? ""
      : text("error.retryAfter", { seconds: Math.max(1, Math.ceil(retryAfterS)) });
  return [sentence, hint, again].filter(Boolean).join(" ");
}

/** Returns a path with its parts encoded. Query fields without a value are left out. */
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

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function readText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
