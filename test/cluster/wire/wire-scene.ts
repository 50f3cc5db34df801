import type { Part } from "../../../src/cluster/part.ts";
import { createWire, type Wire, type WireOptions } from "../../../src/cluster/wire/wire.ts";
import type { FrameOf } from "../../../src/protocol/node/frames.ts";
import { createFakeClock, type FakeClock } from "../../support/clock.ts";
import { CLUSTER_KEY } from "../../support/keys.ts";
import { createLossyNetwork } from "./lossy-transport.ts";

export interface SceneNode {
  wire: Wire;
  /** The events in order: `joined b`, `lost b`, and the data of deltas. */
  events: string[];
  log: { event: string; fields: Record<string, unknown> }[];
}

/** Wires on a fake clock, over a network whose faults the test chooses. */
export function createWireScene(clock: FakeClock = createFakeClock()) {
  const network = createLossyNetwork(clock);
  const add = (
    name: string,
    options: Partial<WireOptions> & { payloadMax?: number; parts?: Part[] } = {},
  ) => {
    const { payloadMax, parts = [], ...rest } = options;
    const log: SceneNode["log"] = [];
    const events: string[] = [];
    const note = (event: string, fields: Record<string, unknown> = {}) => void log.push({ event, fields });
    const wire = createWire(
      {
        ...{
          clusterName: "test",
          clusterKey: CLUSTER_KEY,
          nodeName: name,
          version: "1.0.0",
          bodyBytesMax: 1e6,
        },
        ...{ log: { info: note, warn: note, error: note }, clock },
        soon: (run) => void clock.after(0, run),
        ...rest,
      },
      network.createTransport(payloadMax),
    );
    const recorder: Part = {
      frames: { delta: (_, { data }) => void events.push(data) },
      joined: (node) => void events.push(`joined ${node.name}`),
      changed: (node) => void events.push(`changed ${node.name}${node.draining ? " draining" : ""}`),
      lost: (node) => void events.push(`lost ${node.name}`),
    };
    wire.start([recorder, ...parts]);
    return { wire, events, log } satisfies SceneNode;
  };
  return { clock, network, add };
}

export const delta = (data: string, slot = "slot"): FrameOf<"delta"> => ({ kind: "delta", slot, data });
