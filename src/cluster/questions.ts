import type { Cancel, Clock } from "../clock.ts";

/** Questions to other nodes, by their numbers. A question without an answer ends at its time limit. */
export class Questions<Answer> {
  readonly #open = new Map<number, { nodeId: string; stopTimer: Cancel; settle(answer?: Answer): void }>();
  #last = 0;

  constructor(
    private readonly clock: Pick<Clock, "after">,
    private readonly withinMs: number,
  ) {}

  /** How many have no answer yet. */
  get size(): number {
    return this.#open.size;
  }

  /** Calls `send` with the number of the question. Resolves with undefined if the node does not answer in time. */
  ask(
    nodeId: string,
    send: (n: number) => void,
    withinMs: number = this.withinMs,
  ): Promise<Answer | undefined> {
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    const n = ++this.#last;
    const settle = (answer?: Answer) => {
      this.#open.delete(n);
      stopTimer();
      resolve(answer);
    };
    const stopTimer = this.clock.after(withinMs, settle);
    this.#open.set(n, { nodeId, stopTimer, settle });
    send(n);
    return promise;
  }

  /** An answer that nobody waits for is ignored. */
  answered(nodeId: string, n: number, answer: Answer): void {
    const question = this.#open.get(n);
    if (question?.nodeId === nodeId) question.settle(answer);
  }

  lost(nodeId: string): void {
    for (const question of [...this.#open.values()]) if (question.nodeId === nodeId) question.settle();
  }

  stop(): void {
    for (const { settle } of [...this.#open.values()]) settle();
  }
}
