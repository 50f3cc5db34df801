/** Carries messages between the nodes, best effort: they may be lost, but seldom are. */
export interface Transport {
  /** Whether messages can be sent. */
  readonly isUp: boolean;
  /** The largest message, in bytes. */
  readonly payloadMax: number;
  /**
   * Sends to one node, or to all, including this one. If no one listens at that node, `unanswered` is called.
   * Returns false if the message cannot be sent. The message is copied before the next turn of the event loop.
   */
  publish(nodeId: string | undefined, message: Uint8Array): boolean;
  /**
   * Rejects with a `CommandError` if this node may not send or receive what it must. The probe reaches this node at
   * most. Resolves also if nobody can tell.
   */
  check(nodeId: string, probe: Uint8Array): Promise<void>;
  /** Begins to listen. */
  listen(nodeId: string, listener: TransportListener): void;
  /** Sends what is left and closes. Never rejects. */
  close(): Promise<void>;
}

export interface TransportListener {
  /** A message has come, whose bytes are freed when this has returned. */
  message(bytes: Uint8Array): void;
  /** Nobody listens at this node. Anyone who can send on the subjects of the cluster can forge this. */
  unanswered(nodeId: string): void;
  /** Messages can be sent again. */
  up(): void;
  down(): void;
}
