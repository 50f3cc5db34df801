import { networkInterfaces } from "node:os";
import { readConfig } from "../config.ts";
import { createLog } from "../log.ts";
import { startServer } from "../server.ts";
import { banner, listenAddresses } from "./banner.ts";
import type { Command } from "./io.ts";
import { stopSignal } from "./signals.ts";
import { PROGRAM, VERSION } from "./version.ts";

/** Serves until a signal ends it. The log goes to standard output, what is for people to standard error. */
export const serve: Command = async (args, io) => {
  const { config, warnings } = readConfig({ args, env: io.env });
  for (const warning of warnings) io.err(`${PROGRAM}: ${warning}\n`);

  // As process 1 of a container it would not be ended by a signal that nothing handles, even while it starts.
  const stopped = stopSignal();
  const secrets = [config.adminKey, config.agentKey, config.sealKey].filter((secret) => secret !== undefined);
  const log = createLog({ write: io.out, level: config.logLevel, secrets });
  const server = await startServer(config, log);
  const addresses = listenAddresses(config.host, networkInterfaces());
  io.err(banner({ config, port: server.port, agentKey: server.agentKey, addresses, version: VERSION }));

  log.info("stopping", { signal: await stopped });
  await server.stop();
  return 0;
};
