import { BoundedMap } from "../../bounded-map.ts";
import { MINUTE_MS } from "../../durations.ts";
import type { ErrorCode } from "../../errors.ts";
import { type Principal, userIdOf } from "../../principal.ts";
import { shownModel } from "../../relay/record.ts";
import { type Finding, shownName } from "../finding.ts";
import type { AlertSources } from "../sources.ts";

/** The errors by which a user's own limits refuse requests. */
const LIMITS: ReadonlySet<string> = new Set<ErrorCode>([
  ...(["limit_requests", "limit_tokens", "limit_parallel", "user_queue_full"] as const),
  ...(["limit_budget_day", "limit_budget_month", "limit_budget_reserved"] as const),
]);
const NO_MODEL: ReadonlySet<string> = new Set<ErrorCode>(["model_not_found", "no_agent"]);

const USERS_MAX = 1_000;
const MODELS_MAX = 200;
/** Counts are of this time, in steps. */
const STEP_MS = MINUTE_MS;
const STEPS = 5;
const MODEL_STEPS = 15;
/** A user who is refused as often within five minutes does not keep to the limit, or needs another one. */
const REFUSALS_MIN = 20;
/** A model that was here is missed at once. Any other name may be a caller's mistake. */
const UNKNOWN_ASKS_MIN = 5;

/** Counts by minutes, of which the last ones count. */
class Recent {
  readonly #counts: number[];
  #step = 0;
  firstAt = 0;
  /** Whether it was found to be too many. */
  isFound = false;

  constructor(private readonly steps: number) {
    this.#counts = Array(steps).fill(0);
  }

  note(now: number): void {
    if (this.sum(now) === 0) this.firstAt = now;
    const at = this.#step % this.steps;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  sum(now: number): number {
    const step = Math.floor(now / STEP_MS);
    const passed = Math.min(Math.max(step - this.#step, 0), this.steps);
    for (let next = 1; next <= passed; next++) this.#counts[(step - passed + next) % this.steps] = 0;
    this.#step = Math.max(step, this.#step);
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }
}

interface RefusedUser {
  recent: Recent;
  refusals: Set<string>;
}

/** Remembers who was lately refused by a limit, and which models were asked for in vain. */
export function createRefused() {
  const users = new BoundedMap<string, RefusedUser>(USERS_MAX);
  const models = new BoundedMap<string, Recent>(MODELS_MAX);

  function noteModel(model: string | undefined, now: number): void {
    const name = shownModel(model);
    if (name === undefined || name === "" || name !== model) return;
    const recent = models.get(name) ?? new Recent(MODEL_STEPS);
    models.set(name, recent);
    recent.note(now);
  }

  return {
    /** A request was refused. `model` is the one that it asked for, if no agent offers it. */
    note(principal: Principal, reason: string, now: number, model?: string): void {
      if (NO_MODEL.has(reason)) noteModel(model, now);
      const user = userIdOf(principal);
      if (!LIMITS.has(reason) || user === null) return;
      const known = users.get(user) ?? { recent: new Recent(STEPS), refusals: new Set() };
      users.set(user, known);
      known.recent.note(now);
      known.refusals.add(reason);
    },
    /** A request ended that no agent could do. */
    noteModel,

    findUsers(nameOf: (id: string) => string | null, now: number): Finding[] {
      return [...users].flatMap(([id, { recent, refusals }]): Finding | [] => {
        const requests = recent.sum(now);
        if (requests === 0) users.delete(id);
        if (requests < REFUSALS_MIN) return [];
        const name = nameOf(id);
        const user = { user_id: shownName(id), name: name === null ? null : shownName(name) };
        return {
          ...{ code: "users_limited", subject: user.user_id, severity: "info", since: recent.firstAt },
          details: { users: [user], requests, refusals: [...refusals] },
        };
      });
    },

    findModels(
      { relay, cluster }: Pick<AlertSources, "relay" | "cluster">,
      knowsModel: (model: string) => boolean,
      now: number,
    ): Finding[] {
      // While there is no agent at all, that is the problem. What was found before is not over, however.
      const hasAgents = relay.capacity().available + (cluster?.agentsElsewhere() ?? 0) > 0;
      return [...models].flatMap(([model, recent]): Finding | [] => {
        const requests = recent.sum(now);
        if (requests === 0 || relay.offersModel(model)) {
          models.delete(model);
          return [];
        }
        const isKnown = knowsModel(model);
        recent.isFound ||= hasAgents && (isKnown || requests >= UNKNOWN_ASKS_MIN);
        if (!recent.isFound) return [];
        return {
          ...{ code: "model_missing", subject: model, severity: isKnown ? "warning" : "info" },
          ...{ since: recent.firstAt, details: { models: [model], requests } },
        };
      });
    },
  };
}
