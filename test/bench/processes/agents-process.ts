import { join } from "node:path";
import type { AgentsCommand, AgentsReply } from "./agents-protocol.ts";

// `Omit` of a union would keep only the keys that all its members have.
type WithoutNumber<Command> = Command extends unknown ? Omit<Command, "number"> : never;

/** The process of the agents, as the bench uses it. */
export interface AgentsProcess {
  pid: number;
  /** Resolves once the command was carried out. */
  carryOut(command: WithoutNumber<AgentsCommand>): Promise<void>;
  stop(): void;
}

export function startAgentsProcess(): AgentsProcess {
  const waiting = new Map<number, PromiseWithResolvers<void>>();
  let commands = 0;
  const settle = ({ number, error }: AgentsReply) => {
    const waiter = waiting.get(number);
    waiting.delete(number);
    if (error === undefined) waiter?.resolve();
    else waiter?.reject(new Error(error));
  };
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "agents.ts")], {
    ipc: settle,
    // Ctrl-C in the terminal reaches the whole group, and this process must clean up after it.
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
    carryOut(command) {
      const number = ++commands;
      const waiter = Promise.withResolvers<void>();
      waiting.set(number, waiter);
      child.send({ ...command, number });
      return waiter.promise;
    },
    stop: () => child.kill("SIGKILL"),
  };
}
