import type { AgentGroup } from "../../builtin-agent/agent-group.ts";
import { discover, type FoundServer } from "../../builtin-agent/discovery/discover.ts";
import { identify } from "../../builtin-agent/discovery/identify.ts";
import { verifiedUpstream } from "../../builtin-agent/discovery/verified-upstream.ts";
import { DiscoveryWatch } from "../../builtin-agent/discovery/watch.ts";
import { firstNames } from "../../builtin-agent/upstream-monitor.ts";
import type { Clock } from "../../clock.ts";
import type { Environment } from "../../config/read.ts";
import { CommandError } from "../../errors.ts";
import type { Log } from "../../log/log.ts";
import { createClock } from "../../time.ts";
import { memberOf } from "../builtin-agent.ts";
import { endpointsOf, type UpstreamSettings } from "./choices.ts";

const NOTHING_FOUND = `There is no model server on this machine. Start Ollama, llama.cpp, vLLM, LM Studio, llama-swap, \
LocalAI, Jan or KoboldCpp, give an address with --upstream, or try --echo.`;

interface DiscoveryOptions {
  settings: UpstreamSettings;
  env: Environment;
  /** The address of the server that the agents work for. */
  server: string;
  group: AgentGroup;
  log: Log;
  /** The ports to look at. Default: those of the known model servers. */
  ports?: readonly number[];
  clock?: Clock;
  /** Returns 0 to 1, for the pauses. */
  random?: () => number;
}

/**
 * Adds an agent for each model server on this machine, also for those that are started later. Throws a `CommandError`
 * if there is none yet. Returns what ends the search.
 */
export async function discoverUpstreams(options: DiscoveryOptions): Promise<{ stop(): void }> {
  const { settings, server, ports, clock = createClock(), random = Math.random } = options;
  const [key] = settings.upstreamKeys ?? [];
  const slugs = new Set<string>();
  let count = 0;
  const watch = new DiscoveryWatch({
    look: () => discover({ server, key, ...(ports && { ports }) }),
    onFound: (found) => {
      count++;
      addFound(found, slugs, key, options);
    },
    clock,
    random,
  });
  await watch.start();
  if (count > 0) return watch;
  watch.stop();
  throw new CommandError(NOTHING_FOUND);
}

function addFound(
  { name, slug, url, models, alsoAt }: FoundServer,
  slugs: Set<string>,
  key: string | undefined,
  { settings, env, group, log }: DiscoveryOptions,
): void {
  const listed = models.length > 0 ? firstNames(models) : "no models yet";
  const also =
    alsoAt.length > 0 ? ` (also at ${alsoAt.join(", ")}; if these are others, name all by --upstream)` : "";
  log.info("upstream_found", { upstream: url, kind: slug }, `found ${name} at ${url}${also}: ${listed}`);
  const label = slugs.has(slug) ? `${slug}:${new URL(url).port}` : slug;
  slugs.add(slug);
  const { slots, models: chosen = [], priority, weight, tags } = settings;
  const choice = {
    ...{ url, key, label, models: chosen, onlyListed: true, priority, weight, tags },
    slots: slots[0] ?? ("auto" as const),
    endpoints: endpointsOf(settings),
  };
  const member = memberOf(settings, choice, env);
  const { origin } = new URL(url);
  const isModelServer = async (signal: AbortSignal) =>
    (await identify(origin, { key, signal })) !== undefined;
  group.add({ ...member, upstream: verifiedUpstream(member.upstream, isModelServer) });
}
