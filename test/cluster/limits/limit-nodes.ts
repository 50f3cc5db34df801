import type { Lease, UserLimits } from "../../../src/auth/limits/limits.ts";
import { NOTHING, sumOf } from "../../../src/auth/limits/user-budgets.ts";
import { SharedLimits } from "../../../src/cluster/limits/shared-limits.ts";
import type { NodeInfo, Part } from "../../../src/cluster/part.ts";
import { AppError } from "../../../src/errors.ts";
import { userPrincipal } from "../../../src/principal.ts";
import type { FrameOf, NodeFrameKind } from "../../../src/protocol/node/frames.ts";
import type { Spent, UsagePeriod } from "../../../src/store/store.ts";
import { createFakeClock } from "../../support/clock.ts";
import { createMemoryCluster } from "../memory-link.ts";

export interface LimitNode {
  name: string;
  limits: SharedLimits;
  /** While it is set, the node takes no frames: they wait. */
  hang(): void;
  wake(): void;
}

export interface AskOutcome {
  outcome: string;
  waitMs?: number | undefined;
  lease?: Lease | undefined;
}

/** Holds the frames and the news of a part back while it hangs. */
function hanging(part: Part) {
  let waiting: (() => void)[] | undefined;
  const gate = (run: () => void) => (waiting ? void waiting.push(run) : run());
  const frames: Part["frames"] = {};
  for (const kind of Object.keys(part.frames) as NodeFrameKind[]) {
    const take = part.frames[kind] as (from: NodeInfo, frame: FrameOf<NodeFrameKind>) => void;
    (frames as Record<string, typeof take>)[kind] = (from, frame) => gate(() => take(from, frame));
  }
  return {
    part: { ...part, frames } satisfies Part,
    hang: () => {
      waiting ??= [];
    },
    wake: () => {
      const late = waiting ?? [];
      waiting = undefined;
      for (const run of late) run();
    },
  };
}

/** Usage whose rows are read only after they were written, some time after they were recorded. */
function createUsage(now: () => number, writtenMs: () => number) {
  const rows: { user: string; spent: Spent; at: number; endedAt: number; writtenAt: number }[] = [];
  const find = (users: readonly string[], { from, to = Infinity, endedBefore }: UsagePeriod) =>
    rows.filter(
      ({ user, at, endedAt, writtenAt }) =>
        users.includes(user) && at >= from && at < to && endedAt < endedBefore && writtenAt <= now(),
    );
  return {
    record: (user: string, tokens: number, at: number, endedAt: number, costNanos = 0) =>
      rows.push({ user, spent: { tokens, costNanos }, at, endedAt, writtenAt: now() + writtenMs() }),
    async spentByUsers(users: readonly string[], period: UsagePeriod) {
      const found = new Map<string, Spent>();
      for (const { user, spent } of find(users, period))
        found.set(user, sumOf(found.get(user) ?? NOTHING, spent));
      return found;
    },
    async costOfUsers(users: readonly string[], period: UsagePeriod) {
      const found = new Map<string, number>();
      for (const { user, spent } of find(users, period))
        found.set(user, (found.get(user) ?? 0) + spent.costNanos);
      return found;
    },
  };
}

interface LimitNodesOptions {
  /** The time that a frame takes. Default: 0. */
  delayMs?: () => number;
  /** The time after which a row of usage can be read. Default: 50 ms. */
  writtenMs?: () => number;
}

/** Makes nodes that share the limits of users, on a clock that stands still until it is moved. */
export function createLimitNodes({ delayMs = () => 0, writtenMs = () => 50 }: LimitNodesOptions = {}) {
  const clock = createFakeClock(Date.UTC(2026, 10, 23, 12));
  const cluster = createMemoryCluster(clock, delayMs);
  const nodes = new Map<string, LimitNode>();
  const startedAt = clock.now() - 0.25;
  const elapsedMs = () => clock.now() - startedAt;
  const usage = createUsage(clock.now, writtenMs);
  const logged: { event: string; fields: unknown }[] = [];

  /** `aheadMs`: how far the clock of the node is ahead of the others'. */
  function add(name: string, aheadMs = 0): LimitNode {
    const ownClock = { ...clock, now: () => clock.now() + aheadMs };
    let made: Omit<LimitNode, "name"> | undefined;
    cluster.add(name, (link) => {
      const log = { warn: (event: string, fields?: unknown) => void logged.push({ event, fields }) };
      const limits = new SharedLimits({ link, clock: ownClock, elapsedMs, usage, log });
      const { part, hang, wake } = hanging(limits.part);
      made = { limits, hang, wake };
      return [part];
    });
    if (!made) throw new Error("The node was not made.");
    const node = { name, ...made };
    nodes.set(name, node);
    return node;
  }

  /** Lets time pass in small steps, so that promises settle in between. */
  async function pass(ms: number, stepMs = 5): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      clock.advance(Math.min(left, stepMs));
      await turn();
    }
  }

  /** Delivers what needs no time. */
  async function turn(): Promise<void> {
    for (let count = 0; count < 4; count++) {
      clock.advance(0);
      await new Promise(setImmediate);
    }
  }

  return {
    ...{ clock, cluster, nodes, usage, logged, add, pass, turn, elapsedMs },
    at: (name: string): LimitNode => {
      const node = nodes.get(name);
      if (!node) throw new Error(`There is no node ${name}.`);
      return node;
    },
    /** The node is killed: nothing of it is heard any more. */
    kill(name: string): void {
      nodes.delete(name);
      cluster.remove(name);
    },
    /** The node hands over and leaves. */
    leave(name: string): void {
      nodes.get(name)?.limits.part.stop?.();
      clock.advance(0);
      nodes.delete(name);
      cluster.remove(name);
    },
    /** Resolves when the work is done, while time passes in steps as short as possible. */
    async until<Value>(work: Promise<Value>): Promise<Value> {
      let isDone = false;
      const done = () => {
        isDone = true;
      };
      work.then(done, done);
      for (await turn(); !isDone; await turn()) clock.advance(1);
      return work;
    },
  };
}

type MaybeLater<Value> = Value | Promise<Value>;

export const outcomeOf = async (act: () => MaybeLater<Lease> | MaybeLater<void>): Promise<AskOutcome> => {
  try {
    const lease = await act();
    return { outcome: "ok", ...(lease && { lease }) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { outcome: error.code, waitMs: error.retryAfterMs };
  }
};

export const askAt = ({ limits }: LimitNode, user: string, own: UserLimits): Promise<AskOutcome> =>
  outcomeOf(() => limits.admit(userPrincipal(user), own));
