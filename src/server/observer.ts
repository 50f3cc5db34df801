import type { LiveOverview } from "../http/live/overview.ts";
import type { Log } from "../log/log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { AskRecord } from "../relay/record.ts";
import type { AgentIdentity, RelayObserver } from "../relay/types.ts";
import { logAsk } from "./ask-log.ts";

interface ObserverOptions {
  log: Log;
  metrics: Metrics;
  /** Keeps the usage. */
  count(record: AskRecord): void;
  overview: Pick<LiveOverview, "noteAsk">;
}

/** Passes the relay's events on to the log, the metrics, the usage and the overview. */
export function createObserver({ log, metrics, count, overview }: ObserverOptions): RelayObserver {
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
