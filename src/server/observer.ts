import type { Figures } from "../http/live/figures.ts";
import type { Log } from "../log/log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Agent } from "../relay/agent.ts";
import type { RelayOptions } from "../relay/options.ts";
import type { AskRecord } from "../relay/record.ts";
import { logAsk } from "./ask-log.ts";

interface ObserverOptions {
  log: Log;
  metrics: Metrics;
  /** Keeps the usage. */
  count(record: AskRecord): void;
  /** For who looks on. */
  figures: Pick<Figures, "asked">;
}

export type Observer = NonNullable<RelayOptions["observe"]>;

/** What the relay tells goes into the log, the figures and the usage. */
export function createObserver({ log, metrics, count, figures }: ObserverOptions): Observer {
  const who = ({ id, profile: { address, key } }: Agent) => ({ agent: id, address, key: key?.name });
  return {
    joined(agent) {
      metrics.agents.joined();
      log.info("agent_joined", who(agent));
    },
    left(agent, reason) {
      metrics.agents.left(reason ?? "socket_closed");
      log.info("agent_left", { ...who(agent), reason: reason ?? "socket closed" });
    },
    ended(record) {
      count(record);
      metrics.asked(record);
      figures.asked(record);
      logAsk(log, record);
    },
  };
}
