import { hostname } from "node:os";
import { AgentGroup, type AgentGroupOptions, type GroupMember } from "../builtin-agent/agent-group.ts";
import { createEcho } from "../builtin-agent/echo.ts";
import { createHttpUpstream } from "../builtin-agent/http-upstream.ts";
import type { Environment } from "../config/read.ts";
import { usesProxy } from "../net/environment-proxy.ts";
import type { UpstreamChoice, UpstreamSettings } from "./upstreams/choices.ts";
import { VERSION } from "./version.ts";

const NAME_LENGTH_MAX = 256;

/** Returns the name of an agent: that of the operator, or of the host, and the label of its upstream. */
export function agentName({ name }: Pick<UpstreamSettings, "name">, label?: string): string {
  const own = name ?? (hostname() || "agent");
  if (label === undefined) return own.slice(0, NAME_LENGTH_MAX);
  return `${own.slice(0, NAME_LENGTH_MAX - label.length - 1)}/${label}`.slice(0, NAME_LENGTH_MAX);
}

/** Returns the agents for the chosen upstreams, or the one of the echo; none if the settings name no upstream. */
export function membersOf(
  settings: UpstreamSettings,
  choices: readonly UpstreamChoice[],
  env: Environment,
): GroupMember[] {
  if (settings.echo) return [echoMember(settings)];
  return choices.map((choice) => memberOf(settings, choice, env));
}

/** Returns the agent for one upstream. */
export function memberOf(settings: UpstreamSettings, choice: UpstreamChoice, env: Environment): GroupMember {
  const { url, key, label, slots, models, onlyListed, endpoints, priority, weight, tags } = choice;
  const viaProxy = usesProxy(url, env);
  return {
    upstream: createHttpUpstream({ url, key, models, onlyListed, endpoints, viaProxy }),
    name: agentName(settings, label),
    isNamedInLog: label !== undefined,
    slots,
    claim: { priority, weight, tags: tags && [...tags] },
  };
}

function echoMember({
  slots: [slots = "auto"],
  priority,
  weight,
  tags,
  ...settings
}: UpstreamSettings): GroupMember {
  const claim = { priority, weight, tags: tags && [...tags] };
  return { upstream: createEcho(), name: agentName(settings), slots, claim };
}

/** Starts built-in agents in this process, without any at first. */
export function createAgentGroup(options: Omit<AgentGroupOptions, "version">): AgentGroup {
  return new AgentGroup({ ...options, version: VERSION });
}
