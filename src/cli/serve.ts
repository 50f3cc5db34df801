import { networkInterfaces } from "node:os";
import { backupMaker, ownCommand } from "../backup/process.ts";
import { BuiltinAgent } from "../builtin-agent/builtin-agent.ts";
import { readServerAddress } from "../builtin-agent/server-address.ts";
import type { Upstream } from "../builtin-agent/upstream.ts";
import { type Config, readConfig } from "../config/read.ts";
import { causeOf, createLog, type Log } from "../log/log.ts";
import { type RunningServer, startServer } from "../server/compose.ts";
import { banner, listenAddresses } from "./banner.ts";
import { localAddress } from "./health.ts";
import type { Command } from "./io.ts";
import { stopSignal } from "./signals.ts";
import { hostName, upstreamOf } from "./upstream.ts";
import { PROGRAM, VERSION } from "./version.ts";

/** Serves until a signal ends it. The log goes to standard output, what is for people to standard error. */
export const serve: Command = async (args, io) => {
  const { config, warnings, origins } = readConfig({ args, env: io.env });
  for (const warning of warnings) io.err(`${PROGRAM}: ${warning}\n`);
  const upstream = upstreamOf(config);

  // As process 1 of a container it would not be ended by a signal that nothing handles, even while it starts.
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
  const tell = (line: string) => {
    if (!stopping) io.err(`${PROGRAM}: ${line}\n`);
  };
  const builtinAgent = upstream && startBuiltinAgent(upstream, { config, server, log, tell });

  log.info("stopping", { signal: await stopped });
  stopping = true;
  // The asks that run need the built-in agent until the server has finished them.
  await server.stop();
  await builtinAgent?.stop(0);
  return 0;
};

/** A fault of ours in one request must not end all the others, so it is told and the server goes on. */
function surviveFaults(log: Log): void {
  const tell = (thrown: unknown) => log.error("unexpected", { cause: causeOf(thrown) });
  process.on("unhandledRejection", tell);
  process.on("uncaughtException", tell);
}

interface Own {
  config: Config;
  server: RunningServer;
  log: Log;
  tell: (line: string) => void;
}

/** The built-in agent, in this process, connected as any other. */
function startBuiltinAgent(upstream: Upstream, { config, server, log, tell }: Own): BuiltinAgent {
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
    print: tell,
  });
  void builtinAgent.ended.then((error) => error && tell(`the built-in agent has ended: ${error.message}`));
  return builtinAgent;
}
