import { spawnSync } from "node:child_process";
import { findProgram } from "../programs.ts";

/** Hosts with networks of their own on this machine, made of Linux network namespaces. */
export interface Hosts<Name extends string> {
  /** Returns the command that runs at the host what `command` runs here. */
  at(host: Name, command: readonly string[]): string[];
  /** Ends all processes of the hosts, and removes them. Idempotent. */
  remove(): void;
}

/** A cable between two hosts. Each end has an address of the network, which is a `/24` such as `10.203.1`. */
export interface Cable<Name extends string> {
  ends: readonly [Name, Name];
  network: string;
}

/** Returns why hosts cannot be made here; undefined if they can. */
export function whyNoHosts(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  if (findProgram("ip") === undefined) return "install iproute2";
  const probe = `chat-probe-${process.pid}`;
  if (!run("ip", ["netns", "add", probe])) return "run as root";
  run("ip", ["netns", "del", probe]);
  return undefined;
}

/**
 * Makes hosts that reach each other by the cables only, since none of them forwards. The first end of a cable is
 * `.1` in its network, and the second `.2`.
 */
export function makeHosts<Name extends string>(
  names: readonly Name[],
  cables: readonly Cable<Name>[],
): Hosts<Name> {
  const spaceOf = (name: Name) => `chat-${process.pid}-${name}`;
  const must = (...args: string[]) => {
    if (!run("ip", args)) throw new Error(`ip ${args.join(" ")} failed`);
  };
  const hosts: Hosts<Name> = {
    at: (host, command) => ["ip", "netns", "exec", spaceOf(host), ...command],
    remove() {
      for (const name of names) {
        const { stdout } = spawnSync("ip", ["netns", "pids", spaceOf(name)], { encoding: "utf8" });
        for (const pid of stdout.split("\n").filter(Boolean)) run("kill", ["-9", pid]);
        run("ip", ["netns", "del", spaceOf(name)]);
      }
    },
  };
  try {
    for (const name of names) {
      must("netns", "add", spaceOf(name));
      must("-n", spaceOf(name), "link", "set", "lo", "up");
    }
    for (const [index, { ends, network }] of cables.entries())
      connect(index, ends.map(spaceOf), network, must);
  } catch (error) {
    hosts.remove();
    throw error;
  }
  return hosts;
}

function connect(index: number, spaces: string[], network: string, must: (...args: string[]) => void): void {
  const [first = "", second = ""] = spaces;
  const [near, far] = [`cable${index}a`, `cable${index}b`];
  must("-n", first, "link", "add", near, "type", "veth", "peer", "name", far, "netns", second);
  for (const [space, device, last] of [[first, near, 1] as const, [second, far, 2] as const]) {
    must("-n", space, "addr", "add", `${network}.${last}/24`, "dev", device);
    must("-n", space, "link", "set", device, "up");
  }
}

const run = (program: string, args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: "ignore" }).status === 0;
