import { discover } from "../builtin-agent/discover.ts";
import { isSameServer } from "../builtin-agent/server/server-address.ts";
import type { Upstream } from "../builtin-agent/upstream.ts";
import { CommandError, usageError } from "../errors.ts";
import { printable } from "../printable.ts";
import { findAgentKey, readPairTarget } from "./agents/exchange.ts";
import { userDataFolder } from "./agents/kept-keys.ts";
import { readArgs } from "./args.ts";
import { startBuiltinAgent, type UpstreamSettings, upstreamOf } from "./builtin-agent.ts";
import { createCommandLog } from "./command-log.ts";
import { COMMANDS } from "./commands.ts";
import { type Command, stopSignal } from "./terminal.ts";
import { PROGRAM } from "./version.ts";

const NOTHING_FOUND = `There is no model server on this machine. Start Ollama, llama.cpp, vLLM or LM Studio, \
give an address with --upstream, or try --echo.`;

/** Connects an upstream to a server until a signal ends it, or the server refuses it for good. */
export const agent: Command = async (args, io) => {
  const defaults = { data: userDataFolder(io.env) };
  const { settings, flags, positionals } = readArgs({ args, env: io.env }, { ...COMMANDS.agent, defaults });
  const [address, ...more] = positionals;
  if (address === undefined || more.length > 0)
    throw usageError(
      "Give one argument: the address that the server prints for agents, such as localhost:8080/agents/<agent key>.",
    );
  const { upstreamKey, name, data } = settings;
  const target = readPairTarget(address, flags.pair);
  const { server } = target;
  const print = (line: string) => io.err(`${PROGRAM}: ${printable(line)}\n`);

  const stopped = stopSignal();
  const { key: agentKey, file } = await findAgentKey({
    ...target,
    ...{ given: settings.agentKey, data, name, print },
  });
  const log = createCommandLog(io, settings, [upstreamKey, agentKey, server.key]);
  const upstream = upstreamOf(settings, io.env) ?? (await findUpstream(settings, server.url, print));
  if (settings.upstream !== undefined && isSameServer(settings.upstream, server.url))
    throw usageError("--upstream names the server itself. Give the address of the model server.");

  const builtinAgent = startBuiltinAgent(settings, { server, agentKey, upstream, log });
  const ended = await Promise.race([builtinAgent.ended, stopped]);
  if (ended instanceof CommandError) {
    // The log has said why.
    if (file !== undefined)
      print(`the key is kept in ${file}; if it was revoked, start the agent with --pair and a new code`);
    return ended.exitCode;
  }
  log.info("stopping", { signal: ended });
  await builtinAgent.stop(settings.drainMs);
  log.info("stopped");
  return 0;
};

async function findUpstream(
  settings: UpstreamSettings,
  server: string,
  print: (line: string) => void,
): Promise<Upstream> {
  const found = await discover({ server, key: settings.upstreamKey });
  for (const { name, url, models } of found)
    print(`found ${name} at ${url}: ${models.length > 0 ? models.join(", ") : "no models yet"}`);
  const [first, ...others] = found;
  const upstream = first && upstreamOf({ ...settings, upstream: first.url }, {});
  if (!upstream) throw new CommandError(NOTHING_FOUND);
  if (others.length > 0) print(`using ${first.name}; choose another with --upstream`);
  return upstream;
}
