import { networkInterfaces } from "node:os";
import { backupMaker, ownCommand } from "../backup/process.ts";
import { BuiltinAgent } from "../builtin-agent/builtin-agent.ts";
import { readServerAddress } from "../builtin-agent/server-address.ts";
import type { Upstream } from "../builtin-agent/upstream.ts";
import type { Config } from "../config/settings.ts";
import { causeOf, createLog, type Log } from "../log/log.ts";
import { type RunningServer, startServer } from "../server/compose.ts";
import { readServerArgs } from "./args.ts";
import { banner, listenAddresses } from "./banner.ts";
import { localAddress } from "./health.ts";
import { stopSignal } from "./signals.ts";
import type { Command } from "./terminal.ts";
import { hostName, upstreamOf } from "./upstream.ts";
import { PROGRAM, VERSION } from "./version.ts";

/**
 * Serves until a signal ends it. The log goes to standard output, and messages for people to standard error.
 */
export const serve: Command = async (args, io) => {
  const { config, warnings, origins } = readServerArgs({ args, env: io.env });
  for (const warning of warnings) io.err(`${PROGRAM}: ${warning}\n`);
  const upstream = upstreamOf(config);

  // Handled from the start: process 1 of a container ignores signals without a handler.
  const stopped = stopSignal();
  const { adminKey, agentKey, sealKey, metricsKey, upstreamKey } = config;
  const secrets = [adminKey, agentKey, sealKey, metricsKey, upstreamKey];
  const log = createLog({
    write: io.out,
    level: config.logLevel,
    format: config.logFormat,
    coloured: io.coloured ?? false,
    secrets: secrets.filter((secret) => secret !== undefined),
  });
  surviveFaults(log);
  const server = await startServer(config, log, { origins, makeBackup: backupMaker(config, ownCommand()) });
  process.on("SIGHUP", server.reloadCertificate);
  const addresses = listenAddresses(config.host, networkInterfaces());
  const { port, agentKey: key, signInCode } = server;
  io.err(banner({ config, port, agentKey: key, signInCode, addresses, version: VERSION }));

  let stopping = false;
  const print = (line: string) => {
    if (!stopping) io.err(`${PROGRAM}: ${line}\n`);
  };
  const builtinAgent = upstream && startBuiltinAgent(upstream, { config, server, log, print });

  log.info("stopping", { signal: await stopped });
  stopping = true;
  // Running asks need the built-in agent until the server has finished them.
  await server.stop();
  await builtinAgent?.stop(0);
  return 0;
};

/** Logs a fault of ours and goes on: a fault in one request must not end all the others. */
function surviveFaults(log: Log): void {
  const report = (thrown: unknown) => log.error("unexpected", { cause: causeOf(thrown) });
  process.on("unhandledRejection", report);
  process.on("uncaughtException", report);
}

interface BuiltinAgentParts {
  config: Config;
  server: RunningServer;
  log: Log;
  print: (line: string) => void;
}

/** Starts the built-in agent in this process. It connects like any other agent. */
function startBuiltinAgent(
  upstream: Upstream,
  { config, server, log, print }: BuiltinAgentParts,
): BuiltinAgent {
  const builtinAgent = new BuiltinAgent({
    server: readServerAddress(localAddress({ ...config, port: server.port })),
    // The certificate names the public host. This connection uses the loopback address.
    anyCertificate: config.tlsCert !== undefined,
    agentKey: server.agentKey,
    upstream,
    name: config.name ?? hostName(),
    version: VERSION,
    slots: config.slots,
    log,
    print,
  });
  void builtinAgent.ended.then((error) => error && print(`the built-in agent has ended: ${error.message}`));
  return builtinAgent;
}
