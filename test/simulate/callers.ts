import type { AskRecord } from "../../src/relay/record.ts";
import type { ModelRequest, Signal, Work } from "../../src/relay/types.ts";
import { exponential } from "./chance.ts";
import { Client, type Kind, User } from "./client.ts";
import type { Play } from "./play.ts";
import type { UserGroup } from "./pool.ts";

/** Callers never leave before they have their answer. */
const NEVER: Signal = { aborted: false, addEventListener: () => {} };
/** Failures of asks are counted when they end. */
const IGNORE = () => {};
/** A client whose ask failed does nothing for this long. */
const AFTER_FAILURE_MS = 1_000;

const REQUEST: ModelRequest = { endpoint: "chat/completions", stream: true, body: () => "" };

/** The users, who ask until there were as many asks as wanted. */
export class Callers {
  readonly users: User[] = [];
  readonly kinds: Kind[] = [];
  /** Each client at the place that the ids of its requests name. */
  readonly #clients: Client[] = [];
  readonly #kindsOf = new Map<UserGroup, Kind[]>();
  /** The clients of users without a conversation. */
  readonly #idle = new Map<User, Client[]>();
  #asked = 0;
  #open = 0;
  #conversations = 0;

  constructor(
    private readonly play: Play,
    private readonly asks: number,
  ) {
    for (const group of play.pool.users) this.#addGroup(group);
  }

  /** Whether all asks have their outcome. */
  get isDone(): boolean {
    return this.#asked >= this.asks && this.#open === 0;
  }

  /** Returns the client that sent a request. */
  clientOf({ requestId }: { requestId: string }): Client {
    const client = this.#clients[Number(requestId)];
    if (!client) throw new Error(`nobody sent the request ${requestId}`);
    return client;
  }

  start(): void {
    const { clock, random } = this.play;
    for (const user of this.users) {
      const { conversations, conversationsPerMinute, thinkMs } = user.group;
      for (let n = 0; n < (conversations ?? 0); n++) {
        const client = this.#addClient(user);
        clock.after(random.next() * Math.max(thinkMs, 100), () => this.#converse(client));
      }
      if (conversationsPerMinute !== undefined) this.#arrive(user, 60_000 / conversationsPerMinute);
    }
  }

  /** An ask has its outcome. */
  ended(record: AskRecord): void {
    const { clock, tally, random } = this.play;
    const client = this.clientOf(record);
    this.#open--;
    client.endWait();
    tally.ended(client, record);
    const isAnswered = record.outcome === "ok";
    if (isAnswered) client.endTurn(record.agent);
    const thinkMs = exponential(random, client.user.group.thinkMs);
    if (isAnswered && !client.isOver) clock.after(thinkMs, () => this.#ask(client));
    else if (client.user.group.conversations === undefined) this.#idle.get(client.user)?.push(client);
    else clock.after(isAnswered ? thinkMs : thinkMs + AFTER_FAILURE_MS, () => this.#converse(client));
  }

  #addGroup(group: UserGroup): void {
    const kinds = group.models.map((model): Kind => {
      const { fallbacks } = group;
      const work: Work = { model, fallbacks, requests: [REQUEST] };
      return { group, work, waiting: new Set() };
    });
    this.#kindsOf.set(group, kinds);
    this.kinds.push(...kinds);
    for (let n = 1; n <= group.count; n++) {
      const user = new User(group.count === 1 ? group.name : `${group.name}-${n}`, group);
      this.users.push(user);
      this.#idle.set(user, []);
    }
  }

  #addClient(user: User): Client {
    const origin = { requestId: `${this.#clients.length}`, surface: "chat/completions" };
    const client = new Client(user, this.#kindsOf.get(user.group) ?? [], origin);
    this.#clients.push(client);
    return client;
  }

  /** Lets the user begin conversations at random times, so often on average. */
  #arrive(user: User, everyMs: number): void {
    this.play.clock.after(exponential(this.play.random, everyMs), () => {
      if (this.#asked >= this.asks) return;
      this.#converse(this.#idle.get(user)?.pop() ?? this.#addClient(user));
      this.#arrive(user, everyMs);
    });
  }

  #converse(client: Client): void {
    client.beginConversation(++this.#conversations, this.play.random);
    this.#ask(client);
  }

  #ask(client: Client): void {
    if (this.#asked >= this.asks) return;
    const { clock, random, relay } = this.play;
    const { inputTokens, outputTokens } = client.user.group;
    this.#asked++;
    this.#open++;
    client.beginTurn(exponential(random, inputTokens), exponential(random, outputTokens));
    client.beginWait(clock.now());
    relay.ask(client.request, NEVER).catch(IGNORE);
  }
}
