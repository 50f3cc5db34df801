import type { NodeOverview } from "../../protocol/node/lists.ts";
import type { ProblemAnswer } from "../alerts/schema.ts";
import { createFrames, createNodeFrames } from "./frames.ts";
import { mergeOverviews, type NodeFigures } from "./nodes.ts";
import type { LiveOverview } from "./overview.ts";
import type { LiveFrame, LiveSample, Overview } from "./schema.ts";

interface PublisherOptions {
  overview: LiveOverview;
  /** The figures of the other nodes of a cluster; undefined for a single server. */
  nodes: NodeFigures | undefined;
  /** Returns what is wrong with all nodes. */
  problems: () => ProblemAnswer[];
  /** Whether there is a live view. */
  isViewed: () => boolean;
  /** Sends a frame to the live views. */
  publish: (frame: LiveFrame) => void;
}

/** Makes and publishes the frames of the live views in their order. */
export function createPublisher({ overview, nodes, problems, isViewed, publish }: PublisherOptions) {
  const nodeFrames = nodes && createNodeFrames(overview, nodes);
  const frames = nodeFrames ?? createFrames(overview);
  /** The last of the frames that are being made. */
  let publishing: Promise<void> | undefined;
  /** The problems that the live views show, and their text. */
  let shown: { problems: ProblemAnswer[]; text: string } = { problems: [], text: "" };
  const isAlone = () => !isViewed() && !nodes?.isWatched;

  function lookAtProblems(): void {
    const now = problems();
    shown = { problems: now, text: JSON.stringify(now) };
  }

  async function publishNext(sample: LiveSample, previous: Promise<void> | undefined): Promise<void> {
    await previous;
    await overview.prepare();
    const before = shown.text;
    lookAtProblems();
    const news = shown.text === before ? {} : { problems: shown.problems };
    publish({ type: "second", ...frames.next(sample), ...news });
  }

  return {
    /** Calls `send` with the first frame of a view. No frame is lost between it and those that are published. */
    async greet(send: (frame: LiveFrame) => void): Promise<void> {
      await overview.prepare();
      await nodes?.watched();
      while (publishing) await publishing;
      // The other views have yet to be sent what is newer.
      if (isAlone()) lookAtProblems();
      send({ type: "overview", ...frames.first(isAlone()), problems: shown.problems });
    },
    /** Publishes the frame of a second that is over, if anybody looks. */
    next(sample: LiveSample): void {
      if (isViewed()) nodes?.watch();
      if (isAlone()) {
        frames.skip();
        return;
      }
      const own = publishNext(sample, publishing).catch(() => {});
      publishing = own;
      void own.then(() => {
        if (publishing === own) publishing = undefined;
      });
    },
    /** Returns the overview of the server, or of all nodes. */
    async read(): Promise<Overview> {
      await overview.prepare();
      if (!nodes) return { ...overview.read(), problems: problems() };
      await nodes.watched();
      return { ...mergeOverviews(overview.read(), nodes.self, nodes.read()), problems: problems() };
    },
    /** Returns the figures of this node for another one, which is then sent those of each second. */
    async readForNodes(): Promise<NodeOverview> {
      await overview.prepare();
      while (publishing) await publishing;
      return nodeFrames?.firstForNodes(isAlone()) ?? overview.read();
    },
  };
}
