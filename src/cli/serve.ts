import { networkInterfaces } from "node:os";
import { backupMaker, ownCommand } from "../backup/download.ts";
import { GivenSettings } from "../config/read.ts";
import { secretsInAddress, secretsInWebhook } from "../config/service-addresses.ts";
import { causeOf, type Log } from "../log/log.ts";
import { listenAddresses } from "../net/listen-addresses.ts";
import { startServer } from "../server/compose.ts";
import { createClock } from "../time.ts";
import { readServerArgs } from "./args.ts";
import { createAgentGroup, membersOf } from "./builtin-agent.ts";
import { createCommandLog } from "./command-log.ts";
import { createKeptAdminKey } from "./serve/admin-key.ts";
import { banner } from "./serve/banner.ts";
import { type Command, stopSignal } from "./terminal.ts";
import { createUpdateRequests, updateWarning } from "./update/requests.ts";
import { chooseUpstreams, refuseServer } from "./upstreams/choices.ts";
import { PROGRAM, VERSION } from "./version.ts";

/** Serves until a signal ends it. */
export const serve: Command = async (args, io) => {
  const kept = createKeptAdminKey(io);
  const given = new GivenSettings();
  const { config, warnings, origins } = readServerArgs(
    { args, env: io.env, given },
    { keptAdminKey: kept.read },
  );
  for (const warning of warnings) io.err(`${PROGRAM}: ${warning}\n`);
  const unused = config.autoUpdate ? updateWarning("serve", "--auto-update", config) : undefined;
  if (unused !== undefined) io.err(`${PROGRAM}: ${unused}\n`);
  const choices = chooseUpstreams({ settings: config, given });
  refuseServer(choices, `http://localhost:${config.port}`);

  // Handled from the start: process 1 of a container ignores signals without a handler.
  const stopped = stopSignal();
  const { adminKey, sealKey, metricsKey, upstreamKeys = [], clusterKey, database } = config;
  let stopping = false;
  const secrets = [
    adminKey,
    config.agentKey,
    sealKey,
    metricsKey,
    ...upstreamKeys,
    clusterKey,
    config.acmeEabKey,
    config.alertWebhookSecret,
    ...(config.alertWebhook ? secretsInWebhook(config.alertWebhook) : []),
    ...(database ? secretsInAddress(database) : []),
    ...(config.nats ?? []).flatMap(secretsInAddress),
  ];
  const log = createCommandLog(io, config, secrets, () => !stopping);
  surviveFaults(log);
  const updates = createUpdateRequests({ settings: config, log, clock: createClock() });
  const ending = new AbortController();
  void stopped.then(() => ending.abort());
  const makeBackup = backupMaker(config, ownCommand());
  const server = await startServer(config, log, { origins, makeBackup, stopping: ending.signal });
  process.on("SIGHUP", server.reloadCertificate);
  const addresses = listenAddresses(config.host, networkInterfaces());
  const { port, agentKey, signInCode } = server;
  const { env, errIsTerminal: isPrivate = false } = io;
  const newAdminKey = kept.generated();
  const shown = { config, env, adminKeyFrom: origins.adminKey, newAdminKey, port, agentKey, signInCode };
  io.err(banner({ ...shown, addresses, version: VERSION, isPrivate }));

  const builtinAgents = createAgentGroup({
    server: { label: "this server", link: server.linkAgent },
    alwaysReturns: true,
    log,
  });
  for (const member of membersOf(config, choices, io.env)) builtinAgents.add(member);

  log.info("stopping", { signal: await stopped });
  stopping = true;
  updates.stop();
  // Running asks need the built-in agents until the server has finished them.
  await server.stop();
  await builtinAgents.stop(0);
  return 0;
};

/** Logs a fault of ours and goes on: a fault in one request must not end all the others. */
function surviveFaults(log: Log): void {
  const report = (thrown: unknown) => log.error("unexpected", { cause: causeOf(thrown) });
  process.on("unhandledRejection", report);
  process.on("uncaughtException", report);
}
