import { ERRORS, type ErrorCode } from "./error-table.ts";
import type { Principal } from "./principal.ts";

export { type AnthropicErrorType, ERRORS, type ErrorCode } from "./error-table.ts";

/** The failure of an agent's upstream, as the upstream reported it. */
export interface UpstreamError {
  status?: number | undefined;
  /** The body, unchanged. */
  body?: string | undefined;
  type?: string | undefined;
  code?: string | undefined;
  /** The response headers, their names in lower case. */
  headers?: Record<string, string> | undefined;
}

interface AppErrorOptions {
  /** Replaces the table's message; never one that the Go server had. */
  message?: string;
  /** Full sentences that tell the caller what to do. They never hold a secret, nor anything internal. */
  hint?: string;
  /** The field at fault. */
  param?: string;
  /** Further keys of the Go server's error bodies (`err`, `response`). */
  extra?: Record<string, unknown>;
  /** The model that was asked for, if no agent offers it. For the alerts and the counts only. */
  model?: string;
  /** When the same request may succeed. */
  retryAfterMs?: number | undefined;
  /** Passed on by the error styles that can. */
  upstream?: UpstreamError;
  /** For the log only. */
  detail?: string;
  /** How many wrong keys the request had, for the limit of wrong keys. Default: 1. */
  wrongKeys?: number;
  /** The user whose key was refused: it is theirs, but not valid. For counting only. */
  keyOf?: Principal;
  /** The name of the error in the log, when it tells more than the caller may know. */
  logAs?: string;
  cause?: unknown;
}

/** The only error that ends a request on purpose. Anything else that is thrown is reported as `internal`. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly param: string | undefined;
  readonly extra: Record<string, unknown> | undefined;
  readonly model: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly upstream: UpstreamError | undefined;
  readonly detail: string | undefined;
  readonly wrongKeys: number | undefined;
  readonly logAs: string | undefined;
  readonly keyOf: Principal | undefined;

  constructor(code: ErrorCode, { message, cause, ...fields }: AppErrorOptions = {}) {
    super(message ?? ERRORS[code].message, { cause });
    this.name = "AppError";
    this.code = code;
    Object.assign(this, fields);
  }
}

/** The database cannot be reached, or has not answered in time. Whatever failed by it, callers get `database_away`. */
export class DatabaseAway extends Error {}

/** The disk of the database is full, so that nothing can be changed. */
export class DatabaseFull extends Error {}

/** Returns the `AppError` of an operation that failed with this cause: with this code, or `database_away`. */
export function failureBy(cause: unknown, code: ErrorCode): AppError {
  if (cause instanceof DatabaseFull && code === "internal")
    return new AppError("database_away", { ...FULL, cause });
  return new AppError(cause instanceof DatabaseAway ? "database_away" : code, { cause });
}

const FULL = { message: "The database cannot be changed", hint: "The server's disk is full." };

/**
 * Returns the thrown value as an `AppError`. A value that was not thrown on purpose becomes `internal`, or
 * `database_away`.
 */
export function asAppError(thrown: unknown): AppError {
  return thrown instanceof AppError ? thrown : failureBy(thrown, "internal");
}

/** Resolves as `run` does. What `run` throws becomes the cause of an `AppError`, as `failureBy` makes it. */
export async function orFail<T>(code: ErrorCode, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw failureBy(cause, code);
  }
}

/**
 * The program cannot do what its command line asks, for a reason that its operator can mend: a port in use, a
 * database that cannot be opened. The command prints the one line `message` and ends with `exitCode`.
 */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "CommandError";
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Returns the error of a wrong command line. The program ends with exit code 2 and points to its help. */
export function usageError(message: string): CommandError {
  return new CommandError(message, { exitCode: 2 });
}

/** Returns the text of whatever was thrown. */
export function messageOfError(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
