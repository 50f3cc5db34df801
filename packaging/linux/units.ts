import { readServerArgs } from "../../src/cli/args.ts";
import { STOP_MARGIN_MS } from "../../src/cli/service/read-install.ts";
import type { Machine, Service } from "../../src/cli/service/service.ts";
import { unitOf } from "../../src/cli/service/systemd.ts";
import { GivenSettings } from "../../src/config/read.ts";

/** The folder of the settings, with one file for each service. */
export const SETTINGS_FOLDER = "/etc/chatgpt-api-server";

const SYSTEM: Machine = { platform: "linux", isAdmin: true, uid: 0, user: "root", home: "/root", env: {} };

/**
 * Returns the units of a package by their file names. `serve install` and `agent install` write the same units, but for
 * the settings, which a package reads from files.
 */
export function packageUnits(): Record<string, string> {
  const { config } = readServerArgs({ args: ["8080", "unused"], env: {}, given: new GivenSettings() });
  const executable = "/usr/bin/chatgpt-api-server";
  const server: Service = {
    kind: "serve",
    name: "chatgpt-api-server",
    ...{ executable, args: ["serve"], variables: {}, hasLowPort: false },
    inputs: [
      {
        id: "admin-key",
        variable: "CHATGPT_API_ADMIN_KEY_FILE",
        path: `${SETTINGS_FOLDER}/admin-key`,
        isGenerated: true,
      },
    ],
    data: { path: "/var/lib/chatgpt-api-server" },
    mayUpdate: false,
    stopMs: config.drainMs + config.lameDuckMs + STOP_MARGIN_MS,
    packaged: { settingsFile: `${SETTINGS_FOLDER}/server.env`, user: "chatgpt-api-server" },
  };
  const agent: Service = {
    kind: "agent",
    name: "chatgpt-api-agent",
    ...{ executable, args: ["agent"], variables: {}, inputs: [], hasLowPort: false },
    mayUpdate: false,
    stopMs: config.drainMs + STOP_MARGIN_MS,
    packaged: { settingsFile: `${SETTINGS_FOLDER}/agent.env`, argumentsFrom: "AGENT_SERVER" },
  };
  return Object.fromEntries(
    [server, agent].map((service) => [`${service.name}.service`, unitOf(service, SYSTEM)]),
  );
}
