import type { NodeOverview, NodeSecond } from "../../protocol/node/lists.ts";
import {
  boundModels,
  describeNodes,
  mergeAsks,
  mergeModels,
  mergeOverviews,
  mergePools,
  mergeSamples,
  type NodeFigures,
} from "./nodes.ts";
import type { LiveOverview } from "./overview.ts";
import type { LiveFrame, LiveSample, OverviewFigures } from "./schema.ts";

type OverviewOf = Pick<LiveOverview, "read" | "models" | "pool" | "asksAfter" | "asksCount">;

/** Makes the frames of the live views of a single server. Each has what is new since the previous one. */
export function createFrames(live: OverviewOf) {
  let asksSent = 0;
  let modelsSent = "";
  return {
    /** Returns the first frame for a new view, up to the last frame of the others. `isAlone`: there are no others. */
    first(isAlone: boolean): OverviewFigures {
      const overview = live.read(asksSent);
      if (isAlone) modelsSent = JSON.stringify(overview.models);
      return overview;
    },
    next(sample: LiveSample): NodeSecond {
      const models = live.models();
      const asText = JSON.stringify(models);
      const asks = live.asksAfter(asksSent);
      const isNews = asText !== modelsSent;
      modelsSent = asText;
      asksSent = live.asksCount;
      return { ...live.pool(), ...(isNews && { models }), sample, asks };
    },
    /** Makes no frame of a second, as nobody looks. */
    skip() {
      asksSent = live.asksCount;
    },
  };
}

/**
 * The frames of a node: those of its views have the numbers of all nodes. The nodes that want the figures of this one get
 * its own.
 */
export function createNodeFrames(live: OverviewOf & Pick<LiveOverview, "startedAt">, nodes: NodeFigures) {
  const own = createFrames(live);
  const startedAt = new Date(live.startedAt).toISOString();
  let modelsSent = "";
  return {
    first(isAlone: boolean): OverviewFigures {
      const overview = mergeOverviews(own.first(isAlone), nodes.self, nodes.read());
      if (isAlone) modelsSent = JSON.stringify(overview.models);
      return overview;
    },
    /** Returns the figures of this node alone, as a new view of another node needs them. */
    firstForNodes: (isAlone: boolean): NodeOverview => boundModels(own.first(isAlone)),
    next(sample: LiveSample): Omit<Extract<LiveFrame, { type: "second" }>, "type"> {
      const second = own.next(sample);
      nodes.publish(boundModels(second));
      const seconds = nodes.take();
      const { nodes: others, missing } = nodes.read();
      const overviews = others.map(({ overview }) => overview);
      const models = mergeModels([live.models(), ...overviews.map((overview) => overview.models)]);
      const asText = JSON.stringify(models);
      const isNews = asText !== modelsSent;
      modelsSent = asText;
      const { models: _, ...state } = second;
      return {
        ...state,
        ...mergePools([second, ...overviews]),
        ...describeNodes(second, startedAt, nodes.self, { nodes: others, missing }),
        ...(isNews && { models }),
        sample: {
          at: sample.at,
          ...mergeSamples(
            sample,
            seconds.map(({ sample }) => sample),
            others,
          ),
        },
        asks: mergeAsks([second.asks, ...seconds.map(({ asks }) => asks)]),
      };
    },
    skip() {
      own.skip();
      nodes.take();
    },
  };
}
