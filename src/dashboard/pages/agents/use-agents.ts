import { useEffect, useRef } from "hono/jsx/dom";
import { api } from "../../api/api.ts";
import type { Agent } from "../../api/types.ts";
import type { LiveOverview } from "../../state/history.ts";
import { type Answer, useFetch } from "../../state/use-fetch.ts";
import { useLive } from "../../state/use-live.ts";
import { createPollSchedule } from "./poll-schedule.ts";

const LOOK_MS = 250;

export interface Agents extends Answer<Agent[]> {
  /** The server's clock, in milliseconds since 1970, as of the last second. */
  now: number;
}

/** The connected agents, asked for again as the live figures change, for as long as somebody can see the page. */
export function useAgents(): Agents {
  const answer = useFetch((signal) => api.agents(signal), []);
  const { pool } = useLive();
  const latest = useRef({ mark: "", isLoading: true, length: 0 });
  const { isLoading, value } = answer;
  latest.current = { mark: pool ? markOf(pool) : "", isLoading, length: value?.length ?? 0 };
  useEffect(() => {
    const pace = createPollSchedule(() => performance.now());
    pace.asked("");
    const timer = setInterval(() => {
      const { mark = "", isLoading = true, length } = latest.current ?? {};
      if (document.hidden || isLoading || !pace.isDue(mark, length)) return;
      pace.asked(mark);
      answer.reload();
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  return { ...answer, now: pool ? Date.parse(pool.now) : Date.now() };
}

function markOf({ agents, slots, models }: LiveOverview): string {
  return JSON.stringify([agents, slots, models]);
}
