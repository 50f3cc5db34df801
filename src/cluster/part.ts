import type { FrameOf, NodeFrame, NodeFrameKind } from "../protocol/node/frames.ts";

/** A node of the cluster. */
export interface NodeInfo {
  /** A UUID made at its start: a node that starts again is another one. */
  readonly id: string;
  /** The name for logs, metrics and the dashboard. */
  readonly name: string;
  readonly version: string;
  /** Milliseconds since 1970, by the node's own clock. */
  readonly startedAt: number;
  /** It takes no new asks, or will soon take none. */
  readonly draining: boolean;
}

/**
 * The way to the other nodes. Frames to one node, and those to all, arrive in the order in which they were sent, each
 * once, or the node is lost: then both ends learn it, and what was between them is void. Only a frame that is too
 * large for one message, half a megabyte, arrives later than what was sent after it: the frames of its slot keep
 * their order, and so do those without a slot, but others overtake it.
 */
export interface Link {
  readonly self: NodeInfo;
  /** The other nodes that are in touch, by their ids. */
  readonly nodes: ReadonlyMap<string, NodeInfo>;
  /**
   * Sends a frame to a node. Harmless if the node is not in touch. Returns false if the frame is too large for one
   * message and too much waits before it: then it was not sent. Bytes in it are copied.
   */
  send(nodeId: string, frame: NodeFrame): boolean;
  sendAll(frame: NodeFrame): void;
  /** The bytes for a node that wait in this process, or that the node has not acknowledged. */
  bufferedBytes(nodeId: string): number;
}

/** Takes the frames of one kind. They were checked: their shapes are right, though not what they say. */
export type TakeFrame<Kind extends NodeFrameKind> = (from: NodeInfo, frame: FrameOf<Kind>) => void;

/** One concern of a cluster: takes frames of its kinds, and learns which nodes come and go. */
export interface Part {
  frames: { [Kind in NodeFrameKind]?: TakeFrame<Kind> };
  /** The node is in touch: it knows nothing of this one yet. */
  joined?(node: NodeInfo): void;
  /** The node has changed what it says of itself. */
  changed?(node: NodeInfo): void;
  /** The node is lost, has left, or both must begin anew. It may join again at once. */
  lost?(node: NodeInfo): void;
  stop?(): void;
}
