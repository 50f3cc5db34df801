import manifest from "../../package.json" with { type: "json" };
import { type AgentSockets, createAgentSockets } from "../agents/sockets.ts";
import type { AgentKeys } from "../auth/agent-keys.ts";
import { createResume } from "../auth/resume.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config/read.ts";
import type { Log } from "../log/log.ts";
import type { Relay } from "../relay/relay.ts";
import type { Gate } from "./gate.ts";

interface SocketParts {
  relay: Relay;
  clock: Clock;
  log: Log;
  agentKey: string;
  agentKeys: AgentKeys;
  gate: Gate;
}

/** Where agents connect. */
export function createSockets(
  config: Config,
  { relay, clock, log, agentKey, agentKeys, gate }: SocketParts,
): AgentSockets {
  return createAgentSockets({
    relay,
    clock,
    log,
    newId: () => crypto.randomUUID(),
    rules: {
      agents: config.agents,
      keyAlways: config.agentKey !== undefined,
      origins: config.agentOrigins,
      isOwnHost: gate.isOwnHost,
    },
    addressOf: gate.addressOf,
    socketsMax: config.agentsMax,
    keys: agentKeys,
    helloWithinMs: config.helloWithinMs,
    frameBytesMax: config.frameBytesMax,
    version: manifest.version,
    v1Model: config.v1Model,
    resume: createResume(agentKey),
  });
}
