import type { AgentKey } from "../auth/agent-keys.ts";
import { readBearer } from "../auth/bearer.ts";
import { AppError } from "../errors.ts";
import { isLoopback } from "../net/addresses.ts";

/** The machine that a request comes from. */
export interface RequestSource {
  /** The remote address; undefined on a Unix socket. */
  address: string | undefined;
  /** Whether a proxy passed the request on, or a header says so. */
  isForwarded: boolean;
}

/** A request to register, before there is a socket. */
export interface Registration extends RequestSource {
  headers: Headers;
  /** The result of the look-up of the key; undefined if no key was sent. */
  key: AgentKey | "revoked" | "unknown" | undefined;
}

export interface RegistrationRules {
  /**
   * `keyed` admits no agent without a key, `local` only those of this machine, and `open` all, as the reference
   * does.
   */
  agents: "keyed" | "local" | "open";
  /** Web origins that `local` accepts. */
  origins: readonly string[];
  /** Whether a `Host` header names this machine, and is not a name that a page made resolve to it. */
  isOwnHost(header: string): boolean;
}

/** Returns the key of a request to register: the one in the path if there is one, else the header's. */
export function shownKey(headers: Headers, pathKey: string | undefined): string | undefined {
  return pathKey ?? readBearer(headers);
}

/**
 * Decides who may register. Returns the key of the agent; undefined if it was admitted without one. Throws an
 * `AppError` whose hint says what to do instead. Web pages can open sockets to this machine, so without a key
 * the `Origin` of a web site is refused (cross-site WebSocket hijacking). A revoked key is refused everywhere:
 * otherwise its agent could continue without a key.
 */
export function admit(registration: Registration, rules: RegistrationRules): AgentKey | undefined {
  const { headers, key } = registration;
  if (typeof key === "object") return key;
  if (key === "revoked")
    throw new AppError("agent_key_wrong", {
      hint: "This key was revoked. Ask the administrator for a new one.",
    });
  if (rules.agents === "open") return undefined;
  if (key === "unknown")
    throw new AppError("agent_key_wrong", {
      hint: "The agent key is wrong. Pair the agent, or use the address that chatgpt-api-server agents address prints.",
    });
  const reason = whyKeyIsNeeded(registration, rules);
  if (reason)
    throw new AppError("agent_key_required", {
      hint: `${reason} Pair the agent, use the address that chatgpt-api-server agents address prints, or send a key as "Authorization: Bearer".`,
    });
  if (!rules.isOwnHost(headers.get("host") ?? ""))
    throw new AppError("host_refused", {
      hint: "An agent without a key must call this machine localhost or by its address. --allowed-hosts adds other names.",
    });
  const origin = headers.get("origin");
  if (origin !== null && isWebOrigin(origin) && (origin === "null" || !rules.origins.includes(origin)))
    throw new AppError("agent_origin_refused", {
      hint:
        origin === "null"
          ? "Agents that send `Origin: null`, as sandboxed pages and the Firefox agent do, need the agent key. Paste the address that the server prints when it starts."
          : "Pages of this site may not register without the agent key. --agent-origins lists the sites that may.",
    });
  return undefined;
}

function whyKeyIsNeeded(
  { address, isForwarded }: Registration,
  rules: RegistrationRules,
): string | undefined {
  if (rules.agents === "keyed") return "This server requires a key from every agent.";
  if (!isLoopback(address)) return "Agents on other machines need the agent key.";
  if (isForwarded)
    return "Agents behind a proxy, or at an address that --trust-proxy names, need the agent key.";
  return undefined;
}

/**
 * `null` is the origin of a page in a sandboxed frame of any site, so no list can let it in. Browser extensions
 * have schemes of their own.
 */
function isWebOrigin(origin: string): boolean {
  return origin === "null" || /^(https?|file):/i.test(origin);
}
