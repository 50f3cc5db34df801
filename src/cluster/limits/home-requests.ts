import type { Cancel, Clock } from "../../clock.ts";
import type { FrameOf } from "../../protocol/node/frames.ts";

/** A question to the home of a user. */
export type HomeRequest = FrameOf<"admit"> | FrameOf<"reserve"> | FrameOf<"standing">;
export type HomeAnswer = FrameOf<"admitted">;

interface Options {
  clock: Clock;
  homeOf: (user: string) => string;
  /** Sends a frame to a home. */
  send: (home: string, frame: HomeRequest) => void;
}

interface Pending {
  user: string;
  home: string;
  frame: HomeRequest;
  settle: (answer: Answered) => void;
}

/** The home that was asked last, and its answer if there was one in time. */
export interface Answered {
  home: string;
  answer: HomeAnswer | undefined;
}

/** A home answers within this time, or its node does without it. */
const ANSWER_MS = 500;

/** The requests to homes that wait for an answer. */
export class HomeRequests {
  #pending = new Map<number, Pending>();
  /** The homes that have not answered in time, until they answer. Nobody waits for them. */
  #silent = new Set<string>();

  constructor(private readonly options: Options) {}

  /** Asks the user's home. Never rejects. */
  ask(user: string, frame: HomeRequest): Promise<Answered> {
    const { clock, homeOf, send } = this.options;
    const home = homeOf(user);
    if (this.#silent.has(home)) {
      // It counts the ask once it works again, and its answer tells that it does.
      send(home, frame);
      return Promise.resolve({ home, answer: undefined });
    }
    return new Promise((resolve) => {
      let cancel: Cancel = () => {};
      const settle = (answered: Answered) => {
        cancel();
        this.#pending.delete(frame.n);
        resolve(answered);
      };
      const pending: Pending = { user, home, frame, settle };
      this.#pending.set(frame.n, pending);
      cancel = clock.after(ANSWER_MS, () => this.#giveUp(pending));
      send(home, frame);
    });
  }

  answered(from: string, answer: HomeAnswer): void {
    this.#silent.delete(from);
    const pending = this.#pending.get(answer.n);
    if (pending?.home === from) pending.settle({ home: from, answer });
  }

  /** Asks the homes of users again whose home was lost. */
  askAgain(isLost: (home: string) => boolean): void {
    for (const pending of [...this.#pending.values()]) {
      if (!isLost(pending.home)) continue;
      pending.home = this.options.homeOf(pending.user);
      this.options.send(pending.home, pending.frame);
    }
  }

  /** Nothing is known of the node any more. */
  forget(node: string): void {
    this.#silent.delete(node);
  }

  get size(): number {
    return this.#pending.size;
  }

  #giveUp({ home, settle }: Pending): void {
    this.#silent.add(home);
    settle({ home, answer: undefined });
  }
}
