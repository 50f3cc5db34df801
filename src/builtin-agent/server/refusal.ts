import { field, parseJson, textField } from "../../json/parse.ts";
import { type HttpProxy, proxyOption } from "../../net/environment-proxy.ts";
import { proxyFailure, proxyRefusal } from "../../net/proxy-failure.ts";
import { NO_UPGRADE_HINT } from "../../protocol/agent-polling.ts";
import { AGENT_SUBPROTOCOL } from "../../protocol/agent-v2.ts";
import { bearer, failureOf, requestText } from "../http.ts";
import type { ConnectionEnd, ConnectionOptions } from "./server-connection.ts";

/** Why no connection was made. */
export interface Refusal extends ConnectionEnd {
  /** The server is there, and lets the agent in, but did not get the request for a WebSocket as such. */
  isBlocked: boolean;
}

const REFUSAL_MS = 5000;
export const REFUSAL_BYTES_MAX = 64 * 1024;
/** Statuses that a server has for no agent, but web sites and other APIs do. */
const NO_SERVER = new Set([200, 204, 301, 302, 303, 307, 308, 404, 405, 501]);
const NO_SERVER_HINT = ". Is that a chatgpt-api-server? Check the address";

/** Statuses with which a proxy refuses. */
const PROXY_REFUSALS: ReadonlySet<number> = new Set([401, 403, 407]);

/** A response with an error. */
interface Refused {
  response: Pick<Response, "status" | "statusText">;
  text: string | undefined;
  /** The URL of the request. */
  url: string;
  proxy: HttpProxy | undefined;
}

/**
 * Sends the same request without an upgrade, as a WebSocket does not show the response that refused it. A
 * refusal because of the key or the origin is final, any other may pass.
 */
export async function findRefusal(options: Pick<ConnectionOptions, "server" | "agentKey">): Promise<Refusal> {
  const url = options.server.url.replace(/^ws/, "http");
  const headers = { ...bearer(options.agentKey), "sec-websocket-protocol": AGENT_SUBPROTOCOL };
  const { proxy } = options.server;
  try {
    const { response, text } = await requestText(url, {
      init: { headers, ...proxyOption(proxy) },
      limitMs: REFUSAL_MS,
      bytesMax: REFUSAL_BYTES_MAX,
    });
    return refusalOf({ response, text, url, proxy });
  } catch (error) {
    return { ...failedRequest(error, url, proxy), isBlocked: false };
  }
}

/** Returns why a request was refused. */
export function refusalOf({ response: { status, statusText }, text = "", url, proxy }: Refused): Refusal {
  const body = parseJson(text);
  const hint =
    textField(body, "hint") ?? textField(body, "error") ?? textField(field(body, "error"), "message");
  // The server gives a reason in JSON.
  if (proxy && hint === undefined && (PROXY_REFUSALS.has(status) || status >= 500)) {
    const { words, isAuth } = proxyRefusal(proxy, status, statusText);
    return { reason: words, final: isAuth, isBlocked: false };
  }
  if (status === 400 && hint === NO_UPGRADE_HINT)
    return { reason: "WebSockets do not get through to the server", final: false, isBlocked: true };
  const final = status === 401 || status === 403;
  const isTls = status === 400 && /\bhttps\b/i.test(text);
  const advice = isTls ? tlsHint(url) : NO_SERVER.has(status) ? NO_SERVER_HINT : "";
  return { reason: `refused (${status})${hint ? `: ${hint}` : ""}${advice}`, final, isBlocked: false };
}

/** Returns why a request has failed without an answer. */
export function failedRequest(error: unknown, url: string, proxy: HttpProxy | undefined): ConnectionEnd {
  if (proxy) {
    const { words, isAuth } = proxyFailure(error, proxy);
    return { reason: words, final: isAuth };
  }
  const { reason, words } = failureOf(error);
  return { reason: words + (reason === "connection reset" ? tlsHint(url) : ""), final: false };
}

/**
 * Returns a question for people whose plain request a server with TLS seems to have got. Such a server cuts the
 * connection, or answers 400 with a text that names HTTPS, as nginx does.
 */
function tlsHint(url: string): string {
  return url.startsWith("http:") ? ". Does this server speak TLS? Then use https:// in its address" : "";
}
