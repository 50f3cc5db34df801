import type { SettingsAnswer } from "../../../api/types.ts";
import type { SourceKind } from "./join-line.ts";
import { LOOPBACK, portOf, type ServerAddress } from "./server-address.ts";

/** The settings that decide where an agent connects and whether it needs a key. */
export interface JoinRules {
  /** Which agents need no key: none, those on the server's own machine, or all. */
  keyless: "none" | "local" | "all";
  /** The address that an agent on the server's own machine can use; undefined if there is none. */
  localAddress: ServerAddress | undefined;
  /** Whether the server listens on its own machine only. A proxy may still make it reachable. */
  isLocalOnly: boolean;
  /** Whether the server is a node of a cluster, whose own address leads to that node alone. */
  isCluster: boolean;
}

/** How the settings show that a value is not set. */
const UNSET = /^\(.*\)$/;

/**
 * Returns the rules. `page` is the address in the browser, which has the server's port if the setting is port
 * 0.
 */
export function joinRules(settings: SettingsAnswer["settings"], page: ServerAddress): JoinRules {
  const settingOf = (name: string): string | undefined => {
    const value = settings[name]?.value;
    return value === undefined || value === "" || UNSET.test(value) ? undefined : value;
  };
  const host = settingOf("host");
  const port = settingOf("port") ?? "0";
  const isLocalOnly = host !== undefined && LOOPBACK.test(host);
  const listensLocally = host === undefined || /^(0\.0\.0\.0|::)$/.test(host) || isLocalOnly;
  // A certificate is rarely valid for `localhost`.
  const hasTls = settingOf("tlsCert") !== undefined || settingOf("domains") !== undefined;
  const hasLocal = listensLocally && !hasTls;
  const localPort = port === "0" ? portOf(page) : port;
  return {
    keyless: keylessAgents(settingOf("agents"), settingOf("trustProxy") !== undefined),
    localAddress: hasLocal ? { isSecure: false, host: localHost(host, localPort) } : undefined,
    isLocalOnly,
    isCluster: settingOf("nats") !== undefined,
  };
}

/** Behind a trusted proxy on the server's machine, local agents look like any other, and need the key too. */
function keylessAgents(agents: string | undefined, hasProxy: boolean): JoinRules["keyless"] {
  if (agents === "open") return "all";
  return agents === "local" && !hasProxy ? "local" : "none";
}

/** Whether an agent of this kind needs a key. The Firefox agent sends an origin that always needs one. */
export function isKeyNeeded({ keyless }: JoinRules, kind: SourceKind, isOnServer: boolean): boolean {
  if (keyless === "local") return !isOnServer || kind === "firefox";
  return keyless === "none";
}

function localHost(host: string | undefined, port: string): string {
  const name = host === "::1" ? "[::1]" : host !== undefined && LOOPBACK.test(host) ? host : "127.0.0.1";
  return port === "80" ? name : `${name}:${port}`;
}
