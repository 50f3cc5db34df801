import { BoundedMap } from "../../bounded-map.ts";
import { HOUR_MS } from "../../durations.ts";
import { type Finding, shownName } from "../finding.ts";

interface Lost {
  at: number;
  /** How many other nodes were in touch before. */
  nodesBefore: number;
}

const LOST_MAX = 64;
/** A node that is still away after this time counts as removed. */
const FORGOTTEN_MS = HOUR_MS;

/** Remembers which nodes of the cluster were lost and did not come back. */
export function createLostNodes() {
  const lost = new BoundedMap<string, Lost>(LOST_MAX);
  return {
    /** The node is lost, but has not left on purpose. `nodes`: how many others are still in touch. */
    lost(name: string, nodes: number, now: number): void {
      lost.set(name, { at: now, nodesBefore: nodes + 1 });
    },
    /** A node is in touch. In many clusters another name takes the place of the lost one. */
    joined(name: string, nodes: number): void {
      lost.delete(name);
      for (const [other, { nodesBefore }] of lost) if (nodes >= nodesBefore) lost.delete(other);
    },
    find(now: number): Finding[] {
      return [...lost].flatMap(([name, { at }]): Finding | [] => {
        if (now - at > FORGOTTEN_MS) {
          lost.delete(name);
          return [];
        }
        const shown = shownName(name);
        return {
          ...{ code: "node_lost", subject: shown, severity: "warning", since: at },
          details: { nodes: [shown] },
        };
      });
    },
  };
}
