import { useRef } from "hono/jsx/dom";
import { api } from "../../api/api.ts";
import type { Agent } from "../../api/types.ts";
import type { LiveOverview } from "../../state/history.ts";
import { useEffect } from "../../state/hooks.ts";
import { type FetchState, useFetch } from "../../state/use-fetch.ts";
import { useLive } from "../../state/use-live.ts";
import { createPollSchedule } from "./poll-schedule.ts";

const CHECK_MS = 250;

export interface Agents extends Omit<FetchState<Agent[]>, "replace"> {
  /** The names of the nodes of a cluster whose agents are missing, at least in part. */
  missingNodes: readonly string[];
  /** Whether the server is a node of a cluster. */
  isCluster: boolean;
  /** Whether this node has lost the way to the other nodes, which it forgets after a while. */
  isNatsAway: boolean;
  /** Whether the server does not answer, so that the list may be out of date. */
  isStale: boolean;
  /** The server's time in the newest frame, in milliseconds since 1970. */
  now: number;
}

/** Returns the connected agents, and reloads them as the live overview changes while the page is visible. */
export function useAgents(): Agents {
  const answer = useFetch((signal) => api.agents(signal), []);
  const { overview, status } = useLive();
  const latest = useRef({ fingerprint: "", isLoading: true, length: 0 });
  const { isLoading, value } = answer;
  latest.current = {
    fingerprint: overview ? fingerprintOf(overview) : "",
    isLoading,
    length: value?.agents.length ?? 0,
  };
  useEffect(() => {
    const schedule = createPollSchedule(() => performance.now());
    schedule.reloaded("");
    const timer = setInterval(() => {
      const { fingerprint = "", isLoading = true, length } = latest.current ?? {};
      if (document.hidden || isLoading || !schedule.isDue(fingerprint, length)) return;
      schedule.reloaded(fingerprint);
      answer.reload();
    }, CHECK_MS);
    return () => clearInterval(timer);
  }, []);
  const { replace: _, ...state } = answer;
  return {
    ...state,
    value: value?.agents,
    missingNodes: value?.missing_nodes ?? [],
    isCluster: overview?.nodes !== undefined,
    isNatsAway: overview?.ready.degraded?.includes("nats") ?? false,
    isStale: status === "reconnecting",
    now: overview ? Date.parse(overview.now) : Date.now(),
  };
}

function fingerprintOf({ agents, slots, models }: LiveOverview): string {
  return JSON.stringify([agents, slots, models]);
}
