import type { LocalLimits } from "../../auth/limits/limits.ts";
import { AppError } from "../../errors.ts";
import type { FrameOf } from "../../protocol/node/frames.ts";
import type { Link } from "../part.ts";
import type { HomeAnswer, HomeRequest } from "./home-requests.ts";
import { countFields, limitsOf, refusalFields } from "./limit-frames.ts";
import type { LimitHome } from "./limit-home.ts";
import type { PeriodUse } from "./period-use.ts";

interface Options {
  link: Link;
  limits: LocalLimits;
  home: LimitHome;
  use: PeriodUse;
  homeOf: (user: string) => string;
  /** Takes the answers to this node's own requests. */
  answerSelf: (answer: HomeAnswer) => void;
}

/** Answers what nodes ask the home of a user. */
export class HomeAnswers {
  constructor(private readonly options: Options) {}

  /** Answers a node, which may be this one. */
  answer(from: string, frame: HomeRequest): void {
    const { link, limits, answerSelf } = this.options;
    const send = (fields: Partial<HomeAnswer> = {}) => {
      const counts = countFields(limits.counts(frame.user));
      const answer: HomeAnswer = { kind: "admitted", n: frame.n, counts, ...fields };
      if (from === link.self.id) answerSelf(answer);
      else link.send(from, answer);
    };
    const refuse = (error: unknown) => {
      if (!(error instanceof AppError)) throw error;
      send({ error: refusalFields(error) });
    };
    try {
      const waiting = this.#serve(from, frame);
      if (waiting instanceof Promise) void waiting.then(() => send()).catch(refuse);
      else send();
    } catch (error) {
      refuse(error);
    }
  }

  /** Does what a node asks for. Throws or rejects with an `AppError` where the limits refuse it. */
  #serve(from: string, frame: HomeRequest): void | Promise<void> {
    const { home, use } = this.options;
    switch (frame.kind) {
      case "admit": {
        const { n, user, limited } = frame;
        const reading = home.admit(from, n, user, limitsOf(limited));
        if (!(reading instanceof Promise)) return this.#pass(frame);
        return reading.then(() => this.#pass(frame));
      }
      case "reserve":
        return home.reserve(from, frame.lease, frame.user, {
          tokens: frame.tokens,
          costNanos: frame.cost_nanos ?? 0,
        });
      case "standing":
        return frame.tokens ? use.know(frame.user, frame.month) : undefined;
    }
  }

  /** Tells the home of a user of an ask that a node has asked this one for, not knowing that home yet. */
  #pass({ user, limited }: FrameOf<"admit">): void {
    const { link, homeOf } = this.options;
    const home = homeOf(user);
    if (home === link.self.id || limited.requests_per_minute === null) return;
    link.send(home, { kind: "windows", users: [{ user, ages_ms: [0] }] });
  }
}
