import { hostname } from "node:os";
import { createEcho } from "../builtin-agent/echo.ts";
import { createHttpUpstream } from "../builtin-agent/http-upstream.ts";
import type { Upstream } from "../builtin-agent/upstream.ts";
import type { Config } from "../config/settings.ts";
import { CommandError } from "../errors.ts";
import { ENDPOINTS, type Endpoint } from "../protocol/agent-v2.ts";

export type UpstreamSettings = Pick<Config, "upstream" | "upstreamKey" | "models" | "endpoints" | "echo">;

/** Returns the upstream that the settings name, if any. Throws a `CommandError` if they are not valid. */
export function upstreamOf(settings: UpstreamSettings): Upstream | undefined {
  const { upstream: url, upstreamKey: key, models = [], endpoints = [], echo } = settings;
  const chosen = readEndpoints(endpoints);
  if (echo && url !== undefined)
    throw new CommandError("--echo and --upstream exclude each other. Give one of them.", { exitCode: 2 });
  if (echo) return createEcho();
  return url === undefined ? undefined : createHttpUpstream({ url, key, models, endpoints: chosen });
}

/** Reads the names of endpoints. Throws a `CommandError` for an unknown one. */
function readEndpoints(names: readonly string[]): Endpoint[] {
  const known: readonly string[] = ENDPOINTS;
  if (names.every((name): name is Endpoint => known.includes(name))) return [...names];
  throw new CommandError(`--endpoint is not valid. Give one of: ${ENDPOINTS.join(", ")}.`, { exitCode: 2 });
}

/** Returns the name that the built-in agent has without `--name`. */
export function hostName(): string {
  return hostname().slice(0, 256) || "agent";
}
