import { hostname } from "node:os";
import { createEcho } from "../builtin-agent/echo.ts";
import { readEndpoints } from "../builtin-agent/endpoints.ts";
import { createHttpUpstream } from "../builtin-agent/http-upstream.ts";
import type { Upstream } from "../builtin-agent/upstream.ts";
import type { Config } from "../config/read.ts";
import { CommandError } from "../errors.ts";

export type UpstreamSettings = Pick<Config, "upstream" | "upstreamKey" | "models" | "endpoints" | "echo">;

/** The upstream that the settings name; undefined where they name none. Throws a `CommandError` for faults. */
export function upstreamOf(settings: UpstreamSettings): Upstream | undefined {
  const { upstream: url, upstreamKey: key, models = [], endpoints = [], echo } = settings;
  const chosen = readEndpoints(endpoints);
  if (echo && url !== undefined)
    throw new CommandError("--echo and --upstream exclude each other: give one", { exitCode: 2 });
  if (echo) return createEcho();
  return url === undefined ? undefined : createHttpUpstream({ url, key, models, endpoints: chosen });
}

/** What an agent without `--name` goes by. */
export function hostName(): string {
  return hostname().slice(0, 256) || "agent";
}
