import { expect, test } from "bun:test";
import { createClock } from "../../../src/time.ts";
import { describeWithOwnNats } from "../../support/nats-server.ts";
import { until } from "../../support/until.ts";
import { newClusterName, startNatsWire } from "./nats-wire.ts";
import { delta } from "./wire-scene.ts";

const JUMP_MS = 600_000;
/** Nodes that do not hear each other for 5 s are lost. */
const LOST_MS = 5_500;

describeWithOwnNats("nodes and their clocks", (nats) => {
  test("nobody is lost where a clock is 10 minutes off, and jumps forth and back", async () => {
    const options = { server: `nats://127.0.0.1:${nats.port}`, clusterName: newClusterName() };
    let aheadMs = -JUMP_MS;
    const clock = { ...createClock(), now: () => Date.now() + aheadMs };
    const events: string[] = [];
    const part = {
      frames: { delta: (_: unknown, { data }: { data: string }) => void events.push(data) },
      joined: () => void events.push("joined"),
      lost: () => void events.push("lost"),
    };
    const a = await startNatsWire({ ...options, clock }, [part]);
    const b = await startNatsWire({ ...options, nodeName: "b" }, [part]);
    await until(() => events.length === 2);
    aheadMs = JUMP_MS;
    await Bun.sleep(1_000);
    a.send(b.self.id, delta("ahead"));
    await until(() => events.includes("ahead"));
    aheadMs = -JUMP_MS;
    await Bun.sleep(LOST_MS);
    a.send(b.self.id, delta("behind"));
    await until(() => events.includes("behind"));
    expect(events).toEqual(["joined", "joined", "ahead", "behind"]);
  });
});
