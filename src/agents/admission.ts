import type { AgentKey } from "../auth/agent-keys.ts";
import { AppError } from "../errors.ts";
import { isLoopback } from "../net/addresses.ts";

/** What is known of a request to register before its socket exists. */
export interface Registration {
  headers: Headers;
  /** The remote address; undefined when there is none, as on a Unix socket. */
  address: string | undefined;
  /** A proxy stands between, or says so. */
  isForwarded: boolean;
  /** The key that was shown, as it was found; undefined where none was shown. */
  key: AgentKey | "revoked" | "unknown" | undefined;
}

export interface RegistrationRules {
  /** `open` lets everybody in, as the reference does. */
  agents: "keyed" | "open";
  /** The agent key was set by the operator: then an agent on this machine needs it too. */
  keyAlways: boolean;
  /** Values of `Origin` accepted without the key. */
  origins: readonly string[];
  /** Whether a `Host` names this machine, and cannot be a name that a page had point here. */
  isOwnHost(header: string): boolean;
}

/** The key that a registration shows: the one in the path, where the agent's endpoint carries one, or the header's. */
export function shownKey(headers: Headers, pathKey: string | undefined): string | undefined {
  return pathKey ?? bearer(headers.get("authorization"));
}

export interface Admission {
  /** The main key was shown. */
  trusted: boolean;
  /** What it was let in by; undefined where that was no key. */
  key: AgentKey | undefined;
}

const KEYLESS: Admission = { trusted: false, key: undefined };

/**
 * Decides who may register; throws an `AppError` whose hint says what to do instead. Web pages can open
 * sockets to this machine, so an `Origin` of a web site is refused where no key is asked (cross-site
 * WebSocket hijacking). A revoked key shuts out everywhere, lest its agent go on as one without a key.
 */
export function admit(registration: Registration, rules: RegistrationRules): Admission {
  const { headers, key } = registration;
  if (typeof key === "object") return { trusted: key.id === null, key };
  if (key === "revoked")
    throw new AppError("agent_key_wrong", { hint: "This key was revoked: ask for a new one." });
  if (rules.agents === "open") return KEYLESS;
  if (key === "unknown") {
    throw new AppError("agent_key_wrong", {
      hint: "Use the agent address that the server prints when it starts, or a key made for this agent.",
    });
  }
  const from = whyKeyIsNeeded(registration, rules);
  if (from) {
    throw new AppError("agent_key_required", {
      hint: `${from} Register at /agents/<agent key>/client/register or send the agent key as "Authorization: Bearer".`,
    });
  }
  if (!rules.isOwnHost(headers.get("host") ?? "")) {
    throw new AppError("host_refused", {
      hint: "An agent without a key must call this machine localhost or by its address; --allowed-hosts lists further names.",
    });
  }
  const origin = headers.get("origin");
  if (origin !== null && isWebOrigin(origin) && !rules.origins.includes(origin)) {
    throw new AppError("agent_origin_refused", {
      hint: "Pages of this site may not register without the agent key; --agent-origins lists the ones that may.",
    });
  }
  return KEYLESS;
}

function whyKeyIsNeeded(
  { address, isForwarded }: Registration,
  rules: RegistrationRules,
): string | undefined {
  if (rules.keyAlways) return "This server asks every agent for its key.";
  if (!isLoopback(address)) return "Agents on other machines need the agent key.";
  if (isForwarded) return "Agents behind a proxy need the agent key.";
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
