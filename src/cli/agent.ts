import { GivenSettings } from "../config/read.ts";
import type { Config } from "../config/settings.ts";
import { CommandError } from "../errors.ts";
import { proxySecrets } from "../net/environment-proxy.ts";
import { printable } from "../printable.ts";
import { createClock } from "../time.ts";
import { findAgentKey, readPairTarget } from "./agents/exchange.ts";
import { userDataFolder } from "./agents/kept-keys.ts";
import { readArgs } from "./args.ts";
import { createAgentGroup, membersOf } from "./builtin-agent.ts";
import { createCommandLog } from "./command-log.ts";
import { COMMANDS } from "./commands.ts";
import { type Command, stopSignal } from "./terminal.ts";
import { createUpdateRequests, updateWarning } from "./update/requests.ts";
import { chooseUpstreams, refuseServer } from "./upstreams/choices.ts";
import { type AgentFile, givenAgentFile, serverAddress } from "./upstreams/config-file.ts";
import { discoverUpstreams } from "./upstreams/discovery.ts";
import { PROGRAM } from "./version.ts";

/** Connects upstreams to a server until a signal ends it, or the server refuses all of them for good. */
export const agent: Command = async (args, io) => {
  const defaults = { data: userDataFolder(io.env) };
  const given = new GivenSettings();
  let config: AgentFile | undefined;
  const { settings, flags, positionals } = readArgs(
    { args, env: io.env, given },
    {
      ...COMMANDS.agent,
      defaults,
      inFile: (flags) => {
        config = givenAgentFile(flags.config, io.env);
        return config?.texts ?? [];
      },
    },
  );
  const { name, data, upstreamKeys = [] } = settings;
  const target = readPairTarget(serverAddress(positionals, config), flags.pair, io.env);
  const { server } = target;
  const choices = chooseUpstreams({ settings, given, tables: config?.upstreams ?? [] });
  refuseServer(choices, server.url);
  const print = (line: string) => io.err(`${PROGRAM}: ${printable(line)}\n`);

  for (const warning of updateWarnings(settings, flags["allow-update"])) print(warning);

  const stopped = stopSignal();
  const { key: agentKey, file } = await findAgentKey({
    ...target,
    ...{ given: settings.agentKey, data, name, print },
  });
  const secrets = [
    agentKey,
    server.key,
    ...proxySecrets(io.env),
    ...upstreamKeys,
    ...choices.map(({ key }) => key),
  ];
  const log = createCommandLog(io, settings, secrets);
  const updates = createUpdateRequests({ settings, log, clock: createClock() });
  const { ask } = updates;
  const onUpdate = flags["allow-update"] && ask ? () => ask("server") : undefined;
  const group = createAgentGroup({ server, agentKey, log, onUpdate });
  const members = membersOf(settings, choices, io.env);
  for (const member of members) group.add(member);
  const search =
    members.length === 0
      ? await discoverUpstreams({ settings, env: io.env, server: server.url, group, log })
      : undefined;
  const ended = await Promise.race([group.ended, stopped]);
  search?.stop();
  updates.stop();
  if (ended instanceof CommandError) {
    // The log has said why.
    if (file !== undefined)
      print(`the key is kept in ${file}; if it was revoked, start the agent with --pair and a new code`);
    return ended.exitCode;
  }
  log.info("stopping", { signal: ended });
  await group.stop(settings.drainMs);
  log.info("stopped");
  return 0;
};

function updateWarnings(
  settings: Pick<Config, "autoUpdate" | "updateRequest">,
  isAllowed: boolean,
): string[] {
  const flags = [
    ...(settings.autoUpdate ? ["--auto-update" as const] : []),
    ...(isAllowed ? ["--allow-update" as const] : []),
  ];
  return flags.map((flag) => updateWarning("agent", flag, settings)).filter((text) => text !== undefined);
}
