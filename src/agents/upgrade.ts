import { AppError } from "../errors.ts";

/** What is known of a request to register before its socket exists. */
export interface Registration {
  headers: Headers;
  /** The remote address; undefined when there is none, as on a Unix socket. */
  address: string | undefined;
  /** The key in the path, where the agent's endpoint carries one. */
  pathKey: string | undefined;
}

export interface RegistrationRules {
  /** `open` lets everybody in, as the reference does. */
  agents: "keyed" | "open";
  isAgentKey(candidate: string): boolean;
  /** The agent key was set by the operator: then an agent on this machine needs it too. */
  keyAlways: boolean;
  /** Values of `Origin` accepted without the key. */
  origins: readonly string[];
}

/** Headers by which a proxy tells that the request came from elsewhere. */
const PROXY_HEADERS = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-real-ip",
  "cf-connecting-ip",
];

/**
 * Decides who may register; throws an `AppError` whose hint says what to do instead. `trusted` means that
 * the agent key was shown. Web pages can open sockets to this machine, so an `Origin` of a web site is
 * refused where no key is asked (cross-site WebSocket hijacking).
 */
export function admit(registration: Registration, rules: RegistrationRules): { trusted: boolean } {
  const { headers, address, pathKey } = registration;
  const key = pathKey ?? bearer(headers.get("authorization"));
  if (key !== undefined) {
    if (rules.isAgentKey(key)) return { trusted: true };
    if (rules.agents === "open") return { trusted: false };
    throw new AppError("agent_key_wrong", {
      hint: "Use the agent address that the server prints when it starts.",
    });
  }
  if (rules.agents === "open") return { trusted: false };
  const from = whyKeyIsNeeded(headers, address, rules);
  if (from) {
    throw new AppError("agent_key_required", {
      hint: `${from} Register at /agents/<agent key>/client/register or send the agent key as "Authorization: Bearer".`,
    });
  }
  const origin = headers.get("origin");
  if (origin !== null && isWebOrigin(origin) && !rules.origins.includes(origin)) {
    throw new AppError("agent_origin_refused", {
      hint: "Pages of this site may not register without the agent key; --agent-origins lists the ones that may.",
    });
  }
  return { trusted: false };
}

/** IPv4 as such, where a socket for both families shows it as IPv6 (`::ffff:127.0.0.1`). */
export function plainAddress(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/i, "");
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address === "::1" || address.startsWith("127."));
}

function whyKeyIsNeeded(
  headers: Headers,
  address: string | undefined,
  rules: RegistrationRules,
): string | undefined {
  if (rules.keyAlways) return "This server asks every agent for its key.";
  if (!isLoopback(address)) return "Agents on other machines need the agent key.";
  if (PROXY_HEADERS.some((name) => headers.has(name))) return "Agents behind a proxy need the agent key.";
  return undefined;
}

function bearer(authorization: string | null): string | undefined {
  if (authorization === null) return undefined;
  return authorization.replace(/^bearer\s+/i, "").trim();
}

/** `null` counts as one: pages in a sandboxed frame send it too. Browser extensions have schemes of their own. */
function isWebOrigin(origin: string): boolean {
  return origin === "null" || /^(https?|file):/i.test(origin);
}
