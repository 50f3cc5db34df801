import { expect, onTestFinished, test } from "bun:test";
import { connect } from "@nats-io/transport-node";
import type { Part } from "../../../src/cluster/part.ts";
import { connectNats } from "../../../src/cluster/wire/nats.ts";
import type { Wire } from "../../../src/cluster/wire/wire.ts";
import { createLog } from "../../../src/log/log.ts";
import { describeWithOwnNats, type OwnNats } from "../../support/nats-server.ts";
import { until } from "../../support/until.ts";
import { newClusterName, openNatsWire, startNatsWire } from "./nats-wire.ts";
import { delta } from "./wire-scene.ts";

/** Two nodes on the server, which end with the test. `streams` has the data of deltas by their slots. */
async function openPair(nats: OwnNats, name = newClusterName()) {
  const streams = new Map<string, string[]>();
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const open = (nodeName: string, parts: Part[]) =>
    startNatsWire({ server: `nats://127.0.0.1:${nats.port}`, clusterName: name, nodeName, write }, parts);
  const lost: string[] = [];
  const a = await open("a", [{ frames: {}, lost: ({ name }) => void lost.push(name) }]);
  const take = (slot: string, data: string) => {
    const stream = streams.get(slot) ?? [];
    streams.set(slot, stream);
    stream.push(data);
  };
  const b = await open("b", [
    { frames: { delta: (_, { slot, data }) => take(slot, data) }, lost: ({ name }) => void lost.push(name) },
  ]);
  await until(() => a.nodes.size === 1 && b.nodes.size === 1);
  return { a, b, streams, lost, lines, name };
}

/** Sends so many deltas of each of 100 streams, some in each turn. */
async function stream(from: Wire, to: string, count: number, each: (at: number) => Promise<void>) {
  for (let at = 0; at < count; at++) {
    for (let slot = 0; slot < 100; slot++) from.send(to, delta(`${at}`, `${slot}`));
    await each(at);
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => `${at}`);

describeWithOwnNats("two nodes and a NATS server", (nats) => {
  test("100 streams lose nothing and keep their order while NATS is killed and started again", async () => {
    const { a, b, streams, lost } = await openPair(nats);
    await stream(a, b.self.id, 60, async (at) => {
      if (at === 20) await nats.kill();
      if (at === 30) expect(a.isDegraded()).toBe(true);
      if (at === 40) await nats.start();
      await Bun.sleep(10);
    });
    await until(() => [...streams.values()].every((data) => data.length === 60));
    for (const data of streams.values()) expect(data).toEqual(numbers(60));
    expect([streams.size, lost.length, a.counts.resets]).toEqual([100, 0, 0]);
    await until(() => !a.isDegraded());
  });

  test("100 streams go on after NATS hung for a while", async () => {
    const { a, b, streams, lost } = await openPair(nats);
    await stream(a, b.self.id, 30, async (at) => {
      if (at === 10) nats.suspend();
      await Bun.sleep(at < 10 ? 10 : 200);
      if (at === 25) nats.resume();
    });
    await until(() => [...streams.values()].every((data) => data.length === 30));
    for (const data of streams.values()) expect(data).toEqual(numbers(30));
    expect(lost).toEqual([]);
  });

  test("messages that others write, repeat or make up change nothing", async () => {
    const { a, b, streams, name, lines } = await openPair(nats);
    const other = await connect({ port: nats.port });
    onTestFinished(() => other.close());
    // Whatever a node gets, it gets again, and again in parts.
    other.subscribe(`chatgpt-api.${name}.>`, {
      callback: (_, { subject, data }) => {
        if (data.length === 0 || data[0] === 0x21) return;
        const repeated = Uint8Array.from(data);
        if (other.stats().outMsgs < 2_000)
          for (const cut of [data.length, 100, 43, 1]) other.publish(subject, repeated.slice(0, cut));
      },
    });
    await other.flush();
    const kinds = ["", "!", "[]", "{}", "[[]]", "!".repeat(100_000), `${"x".repeat(43)}{}\n[]`];
    for (const text of kinds) other.publish(`chatgpt-api.${name}.node.${b.self.id}`, text);
    await stream(a, b.self.id, 20, () => Bun.sleep(5));
    await until(() => [...streams.values()].every((data) => data.length === 20));
    for (const data of streams.values()) expect(data).toEqual(numbers(20));
    expect(a.counts.resets + b.counts.resets).toBe(0);
    expect(b.counts.messagesIgnored).toBeGreaterThan(kinds.length - 1);
    expect(lines.filter((line) => line.includes("message_refused")).length).toBeLessThanOrEqual(2);
  });

  test("a body of 20 MB arrives whole, and other frames pass between its pieces", async () => {
    const { a, b, streams } = await openPair(nats);
    const large = `"é${"x".repeat(98)}`.repeat(200_000);
    a.send(b.self.id, delta(large, "large"));
    for (let at = 0; !streams.has("large"); at++) {
      a.send(b.self.id, delta(`${at}`, "small"));
      await Bun.sleep(5);
    }
    expect(streams.get("large")?.[0] === large).toBe(true);
    expect(streams.get("small")?.length).toBeGreaterThan(1);
  });

  test("a message is freed once it was taken, with all that the socket has read", async () => {
    const log = createLog({ write: () => {}, say: () => {} });
    const servers = [`nats://127.0.0.1:${nats.port}`];
    const options = { servers, credsFile: undefined, clusterName: newClusterName(), nodeName: "c", log };
    const transport = await connectNats(options);
    onTestFinished(() => transport.close());
    const taken: Uint8Array[] = [];
    const texts: string[] = [];
    const message = (bytes: Uint8Array) => {
      taken.push(bytes);
      texts.push(`${bytes.byteLength} ${bytes[0]} ${bytes.at(-1)}`);
    };
    const nothing = () => {};
    transport.listen("c", { message, unanswered: nothing, up: nothing, down: nothing });
    const lengths = [1, 70_000, 300_000, 64, 500_000, 3];
    for (const [at, length] of lengths.entries()) transport.publish("c", new Uint8Array(length).fill(at));
    await until(() => taken.length === lengths.length);
    expect(texts).toEqual(lengths.map((length, at) => `${length} ${at} ${at}`));
    await until(() => taken.every(({ byteLength }) => byteLength === 0));
  });

  test("a node that leaves is lost at once, and the other's log says so", async () => {
    const { a, b, lost, lines } = await openPair(nats);
    await b.leave();
    await until(() => lost.includes("b"));
    expect(a.nodes.size).toBe(0);
    const line = lines.find((text) => text.includes("node_lost")) ?? "{}";
    expect(JSON.parse(line)).toMatchObject({ name: "b", reason: "left" });
  });

  test("a NATS server that cuts off slow readers early loses nothing of 100 streams and 2 MB", async () => {
    await nats.startWith('max_payload: 65536\nmax_pending: 65536\nwrite_deadline: "20ms"\n');
    const { a, b, streams, lost } = await openPair(nats);
    a.send(b.self.id, delta("large ".repeat(350_000), "large"));
    await stream(a, b.self.id, 60, (at) => Bun.sleep(at === 30 ? 500 : 10));
    const isWhole = () => streams.size === 101 && [...streams.values()].every(({ length }) => length > 59);
    await until(() => streams.has("large"));
    streams.get("large")?.push(...numbers(59));
    await until(isWhole);
    streams.delete("large");
    for (const data of streams.values()) expect(data).toEqual(numbers(60));
    expect([lost, a.counts.resets, b.counts.resets]).toEqual([[], 0, 0]);
  });

  test("a NATS server that takes short messages only gets short ones", async () => {
    await nats.startWith("max_payload: 16384\n");
    const { a, b, streams } = await openPair(nats);
    const large = "large ".repeat(100_000);
    a.send(b.self.id, delta(large, "large"));
    await until(() => streams.has("large"));
    expect(streams.get("large")?.[0] === large).toBe(true);
    expect(a.counts.resets).toBe(0);
  });
});

test("a node that cannot reach NATS says so in one line", async () => {
  const server = "nats://secret-user:secret-password@127.0.0.1:1";
  const opened = openNatsWire({ server, startMs: 1_000 });
  const message = await opened.catch((error: Error) => error.message);
  expect(message).toBe("NATS cannot be reached at 127.0.0.1:1 within 1 s. Start it, or correct --nats.");
});
