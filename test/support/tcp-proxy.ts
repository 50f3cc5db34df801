import { onTestFinished } from "bun:test";
import { connect, createServer, type Socket } from "node:net";

export type TcpProxy = Awaited<ReturnType<typeof openTcpProxy>>;

/** A proxy for connections to a server on this machine, which can hang or go away. It ends with the test. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const proxy = await openTcpProxy(targetPort);
  onTestFinished(proxy.close);
  return proxy;
}

/** Opens such a proxy, to be closed by its user. */
export async function openTcpProxy(targetPort: number) {
  const pairs = new Set<[Socket, Socket]>();
  let state: "open" | "mute" | "deaf" | "hanging" | "away" | "cutting" = "open";
  let delayMs = 0;
  const server = createServer((caller) => {
    if (state === "away") return void caller.destroy();
    const target = connect(targetPort, "127.0.0.1");
    const pair: [Socket, Socket] = [caller, target];
    pairs.add(pair);
    for (const [from, to] of [pair, pair.toReversed()] as [Socket, Socket][]) {
      from.on("data", (bytes: Buffer) => pass(bytes, to, from === caller ? "mute" : "deaf"));
      from.on("error", () => {});
      from.on("close", () => {
        pairs.delete(pair);
        to.destroy();
      });
    }
  });
  const end = () => {
    for (const [caller, target] of pairs) {
      caller.destroy();
      target.destroy();
    }
  };
  const goAway = () => {
    state = "away";
    end();
  };
  /** The first bytes that come are passed on in part. */
  const cut = (to: Socket, bytes: Buffer) => {
    state = "away";
    to.end(bytes.subarray(0, Math.ceil(bytes.length / 2)), end);
  };
  /** `passing` is the state in which only the bytes of this side are passed on. */
  const pass = (bytes: Buffer, to: Socket, passing: typeof state) => {
    if (state === "cutting") cut(to, bytes);
    else if (state !== "open" && state !== passing) return;
    else if (delayMs === 0) to.write(bytes);
    else setTimeout(() => to.writable && to.write(bytes), delayMs);
  };
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return {
    port: (server.address() as { port: number }).port,
    /** Passes on no byte, in connections that stay open. */
    hang(): void {
      state = "hanging";
    },
    /** Passes on no byte of the server. */
    mute(): void {
      state = "mute";
    },
    /** Passes on no byte of the callers. */
    deafen(): void {
      state = "deaf";
    },
    /** Ends all connections, and refuses new ones. */
    goAway,
    /** Passes on half of what comes next, and then goes away. */
    cutNext(): void {
      state = "cutting";
    },
    /** Passes on what comes from now on only after this time. */
    delay(ms: number): void {
      delayMs = ms;
    },
    /** Passes on new bytes. What came while it hung is lost. */
    comeBack(): void {
      state = "open";
    },
    close(): void {
      end();
      server.close();
    },
  };
}
