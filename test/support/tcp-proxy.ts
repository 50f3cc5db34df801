import { onTestFinished } from "bun:test";
import { connect, createServer, type Socket } from "node:net";

/** A proxy for connections to a server on this machine, which can hang or go away. It ends with the test. */
export async function startTcpProxy(targetPort: number) {
  const pairs = new Set<[Socket, Socket]>();
  let state: "open" | "mute" | "hanging" | "away" = "open";
  const server = createServer((caller) => {
    if (state === "away") return void caller.destroy();
    const target = connect(targetPort, "127.0.0.1");
    const pair: [Socket, Socket] = [caller, target];
    pairs.add(pair);
    for (const [from, to] of [pair, pair.toReversed()] as [Socket, Socket][]) {
      from.on("data", (bytes) => {
        if (state === "open" || (state === "mute" && from === caller)) to.write(bytes);
      });
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
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  onTestFinished(() => {
    end();
    server.close();
  });
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
    /** Ends all connections, and refuses new ones. */
    goAway(): void {
      state = "away";
      end();
    },
    /** Passes on new bytes. What came while it hung is lost. */
    comeBack(): void {
      state = "open";
    },
  };
}
