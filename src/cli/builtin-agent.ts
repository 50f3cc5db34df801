import { hostname } from "node:os";
import { BuiltinAgent, type BuiltinAgentOptions } from "../builtin-agent/builtin-agent.ts";
import { createEcho } from "../builtin-agent/echo.ts";
import { createHttpUpstream } from "../builtin-agent/http-upstream.ts";
import type { Upstream } from "../builtin-agent/upstream.ts";
import type { Environment } from "../config/read.ts";
import type { Config } from "../config/settings.ts";
import { usageError } from "../errors.ts";
import { usesProxy } from "../net/environment-proxy.ts";
import { ENDPOINTS, type Endpoint } from "../protocol/agent-v2.ts";
import { VERSION } from "./version.ts";

export type UpstreamSettings = Pick<Config, "upstream" | "upstreamKey" | "models" | "endpoints" | "echo">;

/** Returns the upstream that the settings name, if any. Throws a `CommandError` if they are at fault. */
export function upstreamOf(settings: UpstreamSettings, env: Environment): Upstream | undefined {
  const { upstream: url, upstreamKey: key, models = [], endpoints = [], echo } = settings;
  const isEndpoint = (name: string): name is Endpoint => ENDPOINTS.some((known) => known === name);
  if (!endpoints.every(isEndpoint))
    throw usageError(`--endpoint is not valid. Give one of: ${ENDPOINTS.join(", ")}.`);
  if (echo && url !== undefined)
    throw usageError("--echo and --upstream exclude each other. Give one of them.");
  if (echo) return createEcho();
  if (url === undefined) return undefined;
  return createHttpUpstream({ url, key, models, endpoints, viaProxy: usesProxy(url, env) });
}

/** Starts the built-in agent in this process. Its name is that of the host, unless `--name` is given. */
export function startBuiltinAgent(
  { name, slots, priority, weight, tags }: Pick<Config, "name" | "slots" | "priority" | "weight" | "tags">,
  options: Omit<BuiltinAgentOptions, "name" | "slots" | "claim" | "version">,
): BuiltinAgent {
  const ownName = name ?? (hostname().slice(0, 256) || "agent");
  const claim = { priority, weight, tags: tags && [...tags] };
  return new BuiltinAgent({ ...options, name: ownName, slots, claim, version: VERSION });
}
