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
  /** `keyed` admits agents without a key only from this machine; `open` admits all, as the reference does. */
  agents: "keyed" | "open";
  /** The operator set the agent key. Then agents on this machine need it too. */
  keyAlways: boolean;
  /** Values of `Origin` that are accepted without a key. */
  origins: readonly string[];
  /** Whether a `Host` header names this machine, and is not a name that a page made resolve to it. */
  isOwnHost(header: string): boolean;
}

/** Returns the key of a request to register: the one in the path if there is one, else the header's. */
export function shownKey(headers: Headers, pathKey: string | undefined): string | undefined {
  return pathKey ?? readBearer(headers);
}

export interface Admission {
  /** Whether the request carried the main agent key. */
  trusted: boolean;
  /** The key that admitted the agent; undefined if none was needed. */
  key: AgentKey | undefined;
}

const KEYLESS: Admission = { trusted: false, key: undefined };

/**
 * Decides who may register. Throws an `AppError` whose hint says what to do instead. Web pages can open
 * sockets to this machine, so an `Origin` of a web site is refused if no key is needed (cross-site WebSocket
 * hijacking). A revoked key is refused everywhere: otherwise its agent could continue without a key.
 */
export function admit(registration: Registration, rules: RegistrationRules): Admission {
  const { headers, key } = registration;
  if (typeof key === "object") return { trusted: key.id === null, key };
  if (key === "revoked")
    throw new AppError("agent_key_wrong", {
      hint: "This key was revoked. Ask the administrator for a new one.",
    });
  if (rules.agents === "open") return KEYLESS;
  if (key === "unknown")
    throw new AppError("agent_key_wrong", {
      hint: "Use the agent address that the server prints when it starts, or a key made for this agent.",
    });
  const reason = whyKeyIsNeeded(registration, rules);
  if (reason)
    throw new AppError("agent_key_required", {
      hint: `${reason} Register at /agents/<agent key>/client/register, or send the agent key as "Authorization: Bearer".`,
    });
  if (!rules.isOwnHost(headers.get("host") ?? ""))
    throw new AppError("host_refused", {
      hint: "An agent without a key must call this machine localhost or by its address. --allowed-hosts adds other names.",
    });
  const origin = headers.get("origin");
  if (origin !== null && isWebOrigin(origin) && !rules.origins.includes(origin))
    throw new AppError("agent_origin_refused", {
      hint: "Pages of this site may not register without the agent key. --agent-origins lists the sites that may.",
    });
  return KEYLESS;
}

function whyKeyIsNeeded(
  { address, isForwarded }: Registration,
  rules: RegistrationRules,
): string | undefined {
  if (rules.keyAlways) return "This server requires a key from every agent.";
  if (!isLoopback(address)) return "Agents on other machines need the agent key.";
  if (isForwarded) return "Agents behind a proxy need the agent key.";
  return undefined;
}

/** `null` is the origin of a page in a sandboxed frame. Browser extensions have schemes of their own. */
function isWebOrigin(origin: string): boolean {
  return origin === "null" || /^(https?|file):/i.test(origin);
}
