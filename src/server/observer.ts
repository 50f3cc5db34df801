import type { Limits } from "../auth/limits.ts";
import type { LiveOverview } from "../http/live/overview.ts";
import type { Log } from "../log/log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { AgentIdentity, RelayObserver } from "../relay/types.ts";
import type { UsageStore } from "../store/store.ts";
import { logAsk } from "./ask-log.ts";
import { createUsageCount } from "./usage-count.ts";

interface ObserverOptions {
  log: Log;
  metrics: Metrics;
  usage: UsageStore;
  limits: Limits;
  overview: Pick<LiveOverview, "noteAsk">;
}

/** Passes the relay's events on to the log, the metrics, the usage and the overview. */
export function createObserver({ log, metrics, usage, limits, overview }: ObserverOptions): RelayObserver {
  const count = createUsageCount(usage, limits);
  const shown = ({ id, address, key }: AgentIdentity) => ({ agent: id, address, key: key?.name });
  return {
    joined(agent) {
      metrics.agents.joined();
      log.info("agent_joined", shown(agent));
    },
    left(agent, reason) {
      metrics.agents.left(reason ?? "socket_closed");
      log.info("agent_left", { ...shown(agent), reason: reason ?? "socket closed" });
    },
    ended(record) {
      count(record);
      metrics.askEnded(record);
      overview.noteAsk(record);
      logAsk(log, record);
    },
  };
}
