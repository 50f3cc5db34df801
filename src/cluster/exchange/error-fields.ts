import { AppError, ERRORS, type ErrorCode, type UpstreamError } from "../../errors.ts";
import { NAME_LENGTH_MAX, TEXT_LENGTH_MAX } from "../../protocol/node/bounds.ts";
import type { NodeError } from "../../protocol/node/frames.ts";

/** Returns the error as frames have it. Longer texts than those of the server are cut. Its cause stays here. */
export function errorFields(error: AppError): NodeError {
  const { code, message, hint, param, extra, retryAfterMs, upstream, detail } = error;
  return {
    code,
    ...(message !== ERRORS[code].message && { message: message.slice(0, TEXT_LENGTH_MAX) }),
    ...(hint !== undefined && { hint: hint.slice(0, TEXT_LENGTH_MAX) }),
    ...(param !== undefined && { param: param.slice(0, NAME_LENGTH_MAX) }),
    ...(extra && { extra }),
    ...(retryAfterMs !== undefined && { retry_after_ms: Math.max(retryAfterMs, 0) }),
    ...(upstream && { upstream: upstreamFields(upstream) }),
    ...(detail !== undefined && { detail: detail.slice(0, TEXT_LENGTH_MAX) }),
  };
}

function upstreamFields({ status, body, type, code, headers }: UpstreamError): NodeError["upstream"] {
  return {
    ...(status !== undefined && { status }),
    ...(body !== undefined && { body }),
    ...(type !== undefined && { type: type.slice(0, NAME_LENGTH_MAX) }),
    ...(code !== undefined && { code: code.slice(0, NAME_LENGTH_MAX) }),
    ...(headers && { headers }),
  };
}

/** Returns the error that a node has sent. A code of a newer node becomes `agent_failed`. */
export function errorOf({
  code,
  message,
  hint,
  param,
  extra,
  upstream,
  detail,
  ...rest
}: NodeError): AppError {
  return new AppError(isErrorCode(code) ? code : "agent_failed", {
    ...(message !== undefined && isErrorCode(code) && { message }),
    ...(hint !== undefined && { hint }),
    ...(param !== undefined && { param }),
    ...(extra && { extra }),
    ...(rest.retry_after_ms !== undefined && { retryAfterMs: rest.retry_after_ms }),
    ...(upstream && { upstream }),
    ...(detail !== undefined && { detail }),
  });
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);
