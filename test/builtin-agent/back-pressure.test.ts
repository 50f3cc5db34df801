import { expect, onTestFinished, test } from "bun:test";
import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { forwardStream } from "../../src/builtin-agent/forward-stream.ts";
import { Connection } from "../../src/builtin-agent/server/connection.ts";
import { readServerAddress } from "../../src/builtin-agent/server/server-address.ts";
import { createLog } from "../../src/log/log.ts";
import { createClock } from "../../src/time.ts";
import { settle } from "../support/relay.ts";
import { until } from "../support/until.ts";

const HANDSHAKE_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Starts a WebSocket server that accepts the upgrade and reads nothing before `listen` is called. */
async function startDeafServer(): Promise<{ host: string; listen(): void }> {
  const { promise: taken, resolve } = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (head) => {
      const key = /sec-websocket-key: (.*)\r/i.exec(head.toString())?.[1];
      const accept = new Bun.CryptoHasher("sha1").update(key + HANDSHAKE_SUFFIX).digest("base64");
      const lines = ["HTTP/1.1 101 ok", "upgrade: websocket", "connection: upgrade"];
      lines.push(`sec-websocket-accept: ${accept}`, "sec-websocket-protocol: chatgpt-agent.v2");
      socket.write(`${lines.join("\r\n")}\r\n\r\n`);
      socket.pause();
      resolve(socket);
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", () => listening()));
  onTestFinished(() => void server.close());
  const listen = () => void taken.then((socket) => socket.resume());
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, listen };
}

test("a connection whose server stopped reading has room again only once the server reads", async () => {
  const server = await startDeafServer();
  const { promise: opened, resolve } = Promise.withResolvers<void>();
  const connection = new Connection({
    server: readServerAddress(server.host),
    agentKey: undefined,
    hello: () => {
      queueMicrotask(resolve);
      return { type: "hello", name: "a", version: "0", slots: 1, models: [], endpoints: [] };
    },
    clock: createClock(),
    log: createLog({ write: () => {} }),
    onFrame: () => {},
    onPiece: () => {},
    onEnd: () => {},
  });
  await opened;
  await connection.room();
  for (let sent = 0; sent < 32; sent++)
    connection.send({ type: "delta", ask: "1", data: "x".repeat(1024 * 1024) });
  let hasRoom = false;
  const room = connection.room().then(() => {
    hasRoom = true;
  });
  await Bun.sleep(60);
  expect(hasRoom).toBe(false);
  server.listen();
  await room;
  connection.close();
});

test("the upstream is not read while the connection has no room", async () => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (++pulled === 100) controller.enqueue(new TextEncoder().encode("data: [DONE]\n\n"));
        if (pulled === 100) return controller.close();
        controller.enqueue(new TextEncoder().encode(`data: ${pulled}\n\n`));
      },
    },
    { highWaterMark: 0 },
  );
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const sent: string[] = [];
  const outcome = forwardStream(new Response(body), {
    ask: "1",
    clock: createClock(),
    signal: new AbortController().signal,
    begin: () => {},
    server: {
      silenceMs: undefined,
      frameBytesMax: 1000,
      send: (frame) => sent.push(frame.type) > 0,
      sendPiece: () => {},
      room: () => (sent.length < 5 ? Promise.resolve() : gate),
    },
  });
  await until(() => sent.length === 5);
  await until(() => sent.length === 5);
  await settle();
  expect(sent).toHaveLength(5);
  expect(pulled).toBeLessThan(10);
  open();
  expect(await outcome).toEqual({ type: "done", status: 200 });
  expect(sent).toHaveLength(100);
});
