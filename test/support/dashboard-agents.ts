import type { Agent } from "../../src/dashboard/api/types.ts";

/** Returns a connected, idle agent, unless `given` says otherwise. */
export function agentOf(given: Partial<Agent> = {}): Agent {
  return {
    id: "a1",
    name: "gpu box",
    version: "0.1.0",
    protocol: "v2",
    address: "192.0.2.7",
    key: "main",
    models: ["llama3.3"],
    loaded_models: null,
    priority: 0,
    weight: 1,
    tags: [],
    slots: 4,
    in_use: 0,
    paused: false,
    draining: false,
    no_work_because: null,
    circuits: [],
    since: "2026-11-23T08:00:00.000Z",
    last_heard: "2026-11-23T09:00:00.000Z",
    ...given,
  };
}
