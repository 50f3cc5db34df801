import { onTestFinished } from "bun:test";
import { connect, createServer, type Socket } from "node:net";
import type { Random } from "./random.ts";

/** The treatment of a request for a WebSocket: passed on, passed on as an ordinary request, refused, or cut. */
export type UpgradeRule = "pass" | "strip" | "refuse" | "cut" | "swallow";

export interface BlockingProxy {
  port: number;
  /** The number of requests for a WebSocket so far. */
  upgrades(): number;
  /** The number of connections that were cut so far. */
  cuts(): number;
  setUpgrades(rule: UpgradeRule): void;
  /** From now on cuts each connection, also an open one, after a random time up to `ms`, or a random number of bytes; undefined: none. */
  cutWithin(ms: number | undefined): void;
  close(): void;
}

/** A network before a server on this machine in which WebSockets do not get through, and connections are cut. */
export async function startBlockingProxy(
  targetPort: number,
  { upgrades = "strip", random }: { upgrades?: UpgradeRule; random?: Random } = {},
): Promise<BlockingProxy> {
  let rule = upgrades;
  let cutMs: number | undefined;
  const counts = { upgrades: 0, cuts: 0 };
  const open = new Set<Socket>();
  /** Decide anew when the open connections are cut. */
  const armed = new Set<() => void>();
  const server = createServer((caller) => {
    const target = connect(targetPort, "127.0.0.1");
    const end = () => {
      for (const socket of [caller, target]) {
        open.delete(socket);
        socket.destroy();
      }
    };
    const cut = () => {
      counts.cuts++;
      end();
    };
    let timer: Timer | undefined;
    let leftBytes = Number.POSITIVE_INFINITY;
    const arm = () => {
      clearTimeout(timer);
      leftBytes = Number.POSITIVE_INFINITY;
      if (cutMs === undefined || !random) return;
      timer = setTimeout(cut, random.below(cutMs));
      if (random.below(4) === 0) leftBytes = random.below(100_000);
    };
    arm();
    armed.add(arm);
    let isFirst = true;
    const pass = (to: Socket, bytes: Buffer) => {
      leftBytes -= bytes.length;
      if (leftBytes >= 0) return void to.write(bytes);
      to.write(bytes.subarray(0, bytes.length + leftBytes), cut);
      leftBytes = Number.POSITIVE_INFINITY;
    };
    const answers = {
      strip: (request: string) => void target.write(request),
      refuse: () => void caller.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
      cut: end,
      swallow: () => {},
    };
    caller.on("data", (bytes: Buffer) => {
      const given = isFirst ? upgradeOf(bytes) : undefined;
      isFirst = false;
      if (given !== undefined) counts.upgrades++;
      if (given === undefined || rule === "pass") return pass(target, bytes);
      answers[rule](given);
    });
    target.on("data", (bytes: Buffer) => pass(caller, bytes));
    for (const socket of [caller, target]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        clearTimeout(timer);
        armed.delete(arm);
        end();
      });
    }
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const close = () => {
    for (const socket of open) socket.destroy();
    server.close();
  };
  onTestFinished(close);
  return {
    port: (server.address() as { port: number }).port,
    upgrades: () => counts.upgrades,
    cuts: () => counts.cuts,
    setUpgrades(next) {
      rule = next;
    },
    cutWithin(ms) {
      cutMs = ms;
      for (const arm of armed) arm();
    },
    close,
  };
}

/** Returns a request for a WebSocket without its upgrade; undefined for another request. */
function upgradeOf(bytes: Buffer): string | undefined {
  const head = bytes.toString("latin1");
  if (!/^upgrade: *websocket\r$/im.test(head)) return undefined;
  return head.replace(/^(upgrade|connection):.*\r\n/gim, "");
}
