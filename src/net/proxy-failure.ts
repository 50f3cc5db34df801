import { connectErrorTexts } from "../system-error.ts";
import type { HttpProxy } from "./environment-proxy.ts";

/** Why a request through a proxy failed, as a sentence that names the hop. */
export interface ProxyFailure {
  words: string;
  /** Whether the proxy refuses the user and the password. Repeating them may lock the account. */
  isAuth: boolean;
}

/** The status of a proxy that wants a user and a password. Some answer 401 if they are wrong. */
const AUTH: ReadonlySet<number> = new Set([401, 407]);
/** The reasons of failures between this machine and the proxy. */
const NOT_REACHED = new Set([
  ...["connection refused", "unknown host", "no route to the host", "this system forbids the connection"],
]);

/** Returns why `fetch` has thrown. */
export function proxyFailure(error: unknown, proxy: HttpProxy): ProxyFailure {
  const { code, status, statusText } = (error ?? {}) as {
    code?: string;
    status?: number;
    statusText?: string;
  };
  if (code === "ERR_PROXY_TUNNEL") return proxyRefusal(proxy, status ?? 0, statusText);
  const { reason } = connectErrorTexts(error);
  const { label, variable } = proxy;
  if (NOT_REACHED.has(reason))
    return failure(
      `the proxy ${label} cannot be reached (${reason}); check ${variable}, or name the server in NO_PROXY`,
    );
  if (/\bcertificate\b|\bTLS\b/.test(reason))
    return failure(`TLS to the server through the proxy ${label} failed (${reason})`);
  return failure(`the connection through the proxy ${label} failed (${reason})`);
}

/** Returns why the proxy, and not the server, has answered with an error status. */
export function proxyRefusal({ label, variable }: HttpProxy, status: number, statusText = ""): ProxyFailure {
  const told = [status || "", statusText].join(" ").trim() || "no reason";
  if (AUTH.has(status))
    return {
      words: `the proxy ${label} refused: ${told}; check the user and the password in ${variable}`,
      isAuth: true,
    };
  if (status >= 500) return failure(`the proxy ${label} cannot reach the server (${told})`);
  return failure(`the proxy ${label} refused: ${told}`);
}

const failure = (words: string): ProxyFailure => ({ words, isAuth: false });
