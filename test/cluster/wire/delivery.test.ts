import { expect, test } from "bun:test";
import type { NodeInfo } from "../../../src/cluster/part.ts";
import { Delivery } from "../../../src/cluster/wire/delivery.ts";
import { createFakeClock } from "../../support/clock.ts";
import { delta } from "./wire-scene.ts";

const NODE: NodeInfo = { id: "b", name: "b", version: "1.0.0", startedAt: 0, draining: false };

test("a part that was stopped gets no frame and hears of no node that leaves, so that it sets no timer", () => {
  const heard: string[] = [];
  const delivery = new Delivery({ log: { warn: () => {}, error: () => {} }, clock: createFakeClock() });
  delivery.parts = [
    {
      frames: { delta: (_, { data }) => void heard.push(data) },
      lost: ({ name }) => void heard.push(`lost ${name}`),
      stop: () => void heard.push("stopped"),
    },
  ];
  const take = (data: string) => delivery.take(NODE, JSON.stringify([delta(data)]), () => true);
  take("before");
  delivery.stop();
  take("after");
  delivery.tell("lost", NODE);
  expect(heard).toEqual(["before", "stopped"]);
});
