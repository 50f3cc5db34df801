import type { AppError } from "../../errors.ts";
import type { AgentIdentity } from "../types.ts";
import { failureText, type TryFailure } from "./failure-text.ts";

/**
 * Says where an ask whose try failed may be sent again: `nowhere`, only to an agent that did not have it (`elsewhere`),
 * or to any agent (`anywhere`), as it was lost. `moved`: the agent's node was lost, which says nothing about the ask or
 * the agent, and does not count. `unsent`: the agent never got it, which does not count either.
 */
export type Retry = "nowhere" | "elsewhere" | "anywhere" | "moved" | "unsent";

/** An ask whose agent was lost this often is not sent again: it may be what made them leave. */
const LOST_MAX = 3;

/** The failed tries that are remembered for the record of the ask: the first ones. */
const FAILURES_MAX = 8;

/** Knows what the failed tries of an ask allow. Most asks have none. */
export class Tries {
  #lost = 0;
  /** The ids of the agents whose tries failed, and whether they may get the ask again. */
  #tried: Map<string, boolean> | undefined;
  #failure: AppError | undefined;
  readonly #failures: TryFailure[] = [];
  #isRepeatable = true;
  #wasUnsent = false;

  /** Whether there was none with the present model. */
  get isEmpty(): boolean {
    return this.#tried === undefined;
  }

  /** Why the last one failed. */
  get failure(): AppError | undefined {
    return this.#failure;
  }

  /** The first tries that failed, of all models, in order. */
  get failures(): readonly TryFailure[] {
    return this.#failures;
  }

  get isRepeatable(): boolean {
    return this.#isRepeatable;
  }

  isRepeatableAt(agentId: string): boolean {
    return this.#isRepeatable && (this.#tried?.get(agentId) ?? true);
  }

  hasFailedAt(agentId: string): boolean {
    return this.#tried?.has(agentId) ?? false;
  }

  /** Whether one more may follow. An ask that is pinned is never sent twice, though it may be lost before it is sent. */
  mayGoOn(isPinned: boolean): boolean {
    return (!isPinned || this.#wasUnsent) && this.#lost < LOST_MAX;
  }

  /** `sentAfterMs`: from the arrival of the ask until it was sent to the agent. */
  note(agent: AgentIdentity | undefined, sentAfterMs: number, error: AppError, retry: Retry): void {
    const agentId = agent?.id;
    if (this.#failures.length < FAILURES_MAX) {
      const failure = { agent: agentId, agentName: agent?.name, sentAfterMs };
      this.#failures.push({ ...failure, code: error.code, error: failureText(error) });
    }
    this.#tried ??= new Map();
    const isCounted = retry !== "moved" && retry !== "unsent";
    const isLost = retry === "anywhere";
    if (isCounted && agentId !== undefined) this.#tried.set(agentId, isLost);
    if (isLost) this.#lost++;
    this.#failure = error;
    this.#isRepeatable = isLost || !isCounted;
    this.#wasUnsent = retry === "unsent";
  }

  list(): { agentId: string; isRepeatable: boolean }[] {
    return Array.from(this.#tried ?? [], ([agentId, isRepeatable]) => ({ agentId, isRepeatable }));
  }

  /** Takes over what another node knows of the ask. */
  recall(tried: readonly { agentId: string; isRepeatable: boolean }[], isRepeatable: boolean): void {
    this.#tried = new Map(tried.map((each) => [each.agentId, each.isRepeatable]));
    this.#isRepeatable = isRepeatable;
  }

  /** The ask goes on with another model, which agents may get that failed it with the one before. */
  forget(): void {
    this.#tried = undefined;
    this.#isRepeatable = true;
  }
}
