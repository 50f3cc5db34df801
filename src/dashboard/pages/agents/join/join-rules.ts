import type { SettingsAnswer } from "../../../api/types.ts";
import { LOOPBACK, portOf, type ServerAddress } from "./server-address.ts";

/** The settings that decide where an agent connects and whether it needs a key. */
export interface JoinRules {
  /** Whether agents may connect without a key from anywhere. */
  isOpen: boolean;
  /**
   * The address that an agent on the server's own machine can use without a key; undefined if it needs one
   * too.
   */
  localAddress: ServerAddress | undefined;
  /** Whether the server listens on its own machine only. A proxy may still make it reachable. */
  isLocalOnly: boolean;
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
  const isOpen = settingOf("agents") === "open";
  const isLocalOnly = host !== undefined && LOOPBACK.test(host);
  const listensLocally = host === undefined || /^(0\.0\.0\.0|::)$/.test(host) || isLocalOnly;
  const requiresKey = settingOf("agentKey") !== undefined || settingOf("trustProxy") !== undefined;
  // A certificate is rarely valid for `localhost`.
  const hasLocal = listensLocally && settingOf("tlsCert") === undefined && (isOpen || !requiresKey);
  const localPort = port === "0" ? portOf(page) : port;
  return {
    isOpen,
    localAddress: hasLocal ? { isSecure: false, host: localHost(host, localPort) } : undefined,
    isLocalOnly,
  };
}

function localHost(host: string | undefined, port: string): string {
  const name = host === "::1" ? "[::1]" : host !== undefined && LOOPBACK.test(host) ? host : "127.0.0.1";
  return port === "80" ? name : `${name}:${port}`;
}
