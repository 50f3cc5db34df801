import { type Principal, userPrincipal } from "../../src/principal.ts";
import type { AskOrigin } from "../../src/relay/record.ts";
import type { AskRequest, Work } from "../../src/relay/types.ts";
import type { Random } from "../support/random.ts";
import { countAround } from "./chance.ts";
import type { UserGroup } from "./pool.ts";
import { Samples } from "./samples.ts";

/** The asks that any of the same agents may serve, and the clients whose asks wait. */
export interface Kind {
  group: UserGroup;
  work: Work;
  waiting: Set<Client>;
}

/** One user, and what happened to their asks. */
export class User {
  readonly principal: Principal;
  readonly waits = new Samples();
  /** How many of their asks wait now. */
  waiting = 0;

  constructor(
    readonly id: string,
    readonly group: UserGroup,
  ) {
    this.principal = userPrincipal(id);
  }
}

/** A program of a user. It has one conversation at a time, and one ask at a time. */
export class Client {
  readonly request: AskRequest;
  /** Which conversation it has, and the turn of it that is asked next, from 1 on. */
  conversation = 0;
  turn = 1;
  #turns = 1;
  earlierTokens = 0;
  inputTokens = 0;
  outputTokens = 0;
  /** The id of the agent that answered the last turn. */
  lastAgent: string | undefined;
  /** The agents that failed to serve the open ask. */
  readonly triedAgents: string[] = [];
  /** Whether asks of all users waited when its ask was sent. */
  wasSentInBacklog = false;
  /** Since when its ask waits; undefined while none does. */
  waitsSince: number | undefined;
  #kind: Kind;

  /** The kinds are those of the user's group, one for each model. */
  constructor(
    readonly user: User,
    private readonly kinds: readonly Kind[],
    origin: AskOrigin,
  ) {
    const { priority, tags } = user.group;
    this.#kind = kinds[0] as Kind;
    this.request = {
      principal: user.principal,
      ...{ priority, work: this.#kind.work, origin },
      ...(tags.length > 0 && { tags }),
    };
  }

  get kind(): Kind {
    return this.#kind;
  }

  get isOver(): boolean {
    return this.turn > this.#turns;
  }

  beginConversation(conversation: number, random: Random): void {
    this.conversation = conversation;
    this.turn = 1;
    this.#turns = countAround(random, this.user.group.turns);
    this.earlierTokens = 0;
    this.lastAgent = undefined;
    this.#kind = random.pick(this.kinds);
    this.request.work = this.#kind.work;
  }

  /** Notes that an ask begins, with this many tokens. */
  beginTurn(inputTokens: number, outputTokens: number): void {
    this.inputTokens = Math.ceil(inputTokens);
    this.outputTokens = Math.ceil(outputTokens);
    this.triedAgents.length = 0;
    if (this.user.group.turns === 1) return;
    const key = `conversation-${this.conversation}`;
    this.request.affinity = { known: this.turn > 1 ? [key] : [], kept: [key] };
  }

  /** Notes that the agent has answered the turn. */
  endTurn(agentId: string | undefined): void {
    this.turn++;
    this.earlierTokens += this.inputTokens + this.outputTokens;
    this.lastAgent = agentId;
  }

  /** Notes that its ask waits for an agent, or waits for the next one. */
  beginWait(now: number): void {
    if (this.waitsSince === undefined) this.user.waiting++;
    this.waitsSince = now;
    this.#kind.waiting.add(this);
  }

  endWait(): void {
    if (this.waitsSince === undefined) return;
    this.waitsSince = undefined;
    this.user.waiting--;
    this.#kind.waiting.delete(this);
  }
}
