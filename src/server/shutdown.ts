import { type AgentSockets, RESTART_MS } from "../agents/sockets.ts";
import type { Cancel } from "../clock.ts";
import type { Config } from "../config/settings.ts";
import type { Log } from "../log/log.ts";
import type { Relay } from "../relay/relay.ts";
import { type CountingClock, within } from "../time.ts";

export interface ShutdownOptions {
  config: Pick<Config, "lameDuckMs" | "drainMs">;
  log: Log;
  clock: CountingClock;
  relay: Relay;
  agents: Pick<AgentSockets, "announceDrain" | "sendAway">;
  server: { publish(topic: string, text: string): unknown };
  /** Returns how many other nodes the agents could go to; 0 for a single server. */
  countOthers: () => number;
}

type CloseOptions = Pick<ShutdownOptions, "relay" | "clock"> & { agents: Pick<AgentSockets, "told"> };

/** The time in which agents that long-poll must ask why their session has ended. */
const TELL_MS = 1_000;
/** How often agents are sent away, and how many at a time: 200 a second. */
const SEND_AWAY_EVERY_MS = 50;
const SENT_AWAY_MAX = 10;
/** How long these agents wait before they connect to another node. */
const MOVE_MS = 100;

/**
 * Serves on for the time of `--lame-duck`, so that load balancers see that the server is about to stop. Then refuses
 * new asks, and resolves once those that were taken have ended, or after `--drain`.
 */
export async function finishAsks(options: ShutdownOptions): Promise<void> {
  const { config, log, clock, relay, agents, server, countOthers } = options;
  relay.announceStop();
  await beLameDuck(options);
  log.info("draining", { ...relay.stats(), timers: clock.pending() });
  const drained = relay.drain();
  if (countOthers() === 0) {
    // The asks that wait need the agents, which have nowhere else to go.
    agents.announceDrain(server, RESTART_MS);
    return within(clock, config.drainMs, drained);
  }
  agents.announceDrain(server, MOVE_MS);
  const stop = repeat(clock, SEND_AWAY_EVERY_MS, () => {
    if (countOthers() > 0) agents.sendAway(SENT_AWAY_MAX);
  });
  await within(clock, config.drainMs, drained);
  stop();
}

/** Ends the open asks and the connections of all agents. Those that long-poll get the time to learn of it. */
export function closeAgents({ relay, agents, clock }: CloseOptions): Promise<void> {
  relay.close();
  return within(clock, TELL_MS, agents.told());
}

function beLameDuck({ config: { lameDuckMs }, log, clock }: ShutdownOptions): Promise<void> {
  if (lameDuckMs === 0) return Promise.resolve();
  log.info("lame_duck", { ms: lameDuckMs });
  return new Promise((resolve) => void clock.after(lameDuckMs, resolve));
}

/** Calls `run` now and at intervals. Returns a function that stops it. */
function repeat(clock: CountingClock, ms: number, run: () => void): Cancel {
  let cancel: Cancel = () => {};
  const tick = () => {
    cancel = clock.after(ms, tick);
    run();
  };
  tick();
  return () => cancel();
}
