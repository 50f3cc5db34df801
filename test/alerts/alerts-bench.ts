import { createMonitor } from "../../src/alerts/monitor.ts";
import { describeProblem } from "../../src/alerts/sentences.ts";
import type { AlertSources, ServerFacts } from "../../src/alerts/sources.ts";
import { AppError } from "../../src/errors.ts";
import type { RelayLimits } from "../../src/relay/types.ts";
import { createRelayBench } from "../support/relay.ts";
import type { FakeAgent } from "../support/transport.ts";

/** The monitor of a core with a fake clock. `look` passes seconds, in each of which the monitor looks once. */
export function createAlertsBench({
  limits = {},
  cluster,
}: {
  limits?: Partial<RelayLimits>;
  cluster?: AlertSources["cluster"];
} = {}) {
  const facts: ServerFacts = {
    ...{ store: "works", isNatsAway: false, freeBytes: undefined, clockAheadMs: undefined },
  };
  const rest: Pick<AlertSources, "isAdminKeyWeak"> & {
    certificate: ReturnType<AlertSources["certificate"]>;
    webhookFailure: string | undefined;
  } = { isAdminKeyWeak: false, certificate: undefined, webhookFailure: undefined };
  const users = new Map<string, string>();
  const bench = createRelayBench(limits, (record) => {
    if (record.outcome === "no_agent") monitor.unserved(record.model);
  });
  const { relay, clock, pass } = bench;
  const monitor = createMonitor({
    sources: () => ({
      ...{ relay, cluster, queueMax: limits.queueMax ?? 1000, facts: () => facts },
      certificate: () => rest.certificate,
      isAdminKeyWeak: rest.isAdminKeyWeak,
      webhookFailure: () => rest.webhookFailure,
    }),
    knowsModel: (model) => relay.knowsModel(model),
    userName: (id) => users.get(id) ?? null,
    loadUsers: () => {},
    now: clock.now,
  });
  return {
    ...bench,
    ...{ monitor, facts, rest, users },
    async look(seconds = 1) {
      for (let second = 0; second < seconds; second++) {
        await pass(1_000);
        monitor.tick();
      }
      return monitor.problems();
    },
    codes: () => monitor.problems().map(({ code }) => code),
  };
}

export type AlertsBench = ReturnType<typeof createAlertsBench>;

/** Returns the sentences of the problems. */
export const messagesOf = ({ monitor, clock }: AlertsBench): string[] =>
  monitor.problems().map((problem) => describeProblem(problem, clock.now()).message);

/** Lets the agent fail the asks that it has. */
export function fail(agent: FakeAgent, err = "connection refused"): void {
  for (const { slot } of agent.asks.splice(0))
    agent.link.fail(slot, new AppError("agent_failed", { extra: { err } }), false);
}

export async function failOften(
  { ask }: AlertsBench,
  agent: FakeAgent,
  model: string,
  times = 4,
): Promise<void> {
  for (let time = 0; time < times; time++) {
    const asked = ask("x", { model });
    fail(agent);
    await asked;
  }
}
