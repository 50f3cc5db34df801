import { join } from "node:path";
import type { AgentsOrder, AgentsReply } from "./agents-protocol.ts";

// `Omit` of a union would keep only the keys that all its members have.
type WithoutNumber<Order> = Order extends unknown ? Omit<Order, "order"> : never;

/** The process of the agents, seen from the bench. */
export interface AgentsProcess {
  pid: number;
  /** Resolves once the order was carried out. */
  carryOut(order: WithoutNumber<AgentsOrder>): Promise<void>;
  stop(): void;
}

export function startAgentsProcess(): AgentsProcess {
  const waiting = new Map<number, PromiseWithResolvers<void>>();
  let orders = 0;
  const settle = ({ order, error }: AgentsReply) => {
    const waiter = waiting.get(order);
    waiting.delete(order);
    if (error === undefined) waiter?.resolve();
    else waiter?.reject(new Error(error));
  };
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "agents.ts")], {
    ipc: settle,
    // A Ctrl-C of the terminal reaches the whole group, and this one is to clean up after it.
    detached: true,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
    onExit: () => {
      for (const { reject } of waiting.values()) reject(new Error("the agents' process has ended"));
    },
  });
  return {
    pid: child.pid,
    carryOut(order) {
      const number = ++orders;
      const waiter = Promise.withResolvers<void>();
      waiting.set(number, waiter);
      child.send({ ...order, order: number });
      return waiter.promise;
    },
    stop: () => child.kill("SIGKILL"),
  };
}
