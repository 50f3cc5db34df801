import { BoundedMap } from "../bounded-map.ts";
import { HOUR_MS } from "../durations.ts";
import { type AddedField, refusedFields } from "../protocol/added-fields.ts";
import { MODELS_MAX } from "../protocol/agent-v2.ts";
import type { AgentCommand, ModelRequest } from "../relay/types.ts";
import type { ConnectionOptions } from "./connection.ts";

/** The command by which an agent gets a model request. */
export type ModelCommand = Extract<AgentCommand, { kind: "ask" }> & { request: ModelRequest };

/** An ask as the agent has it. */
export interface SentAsk {
  command: ModelCommand;
  /** The ask's id in the frames, which is the slot's for the first try. */
  id: string;
  /** The added fields that its body does not have. */
  refused: ReadonlySet<AddedField>;
  body: string;
}

/** Without the body, of which the request has all that is needed to make it again. */
type OpenAsk = Omit<SentAsk, "body"> & { tries: number };

const NONE: ReadonlySet<AddedField> = new Set();

/** After this long a refusal is forgotten, as the upstream may have been replaced. */
const KNOWN_MS = HOUR_MS;

/**
 * Knows which of the fields that the server adds to requests the upstream behind one agent refuses, for each
 * model. The server does it and not the agent: only the server can tell its own fields from the caller's, and so
 * every agent is served. A refusal is remembered once a try without the fields has succeeded.
 */
export class TakenBack {
  readonly #known = new BoundedMap<string, { refused: ReadonlySet<AddedField>; until: number }>(MODELS_MAX);
  /** The asks of which a field may be taken back, by their slots. */
  readonly #open = new Map<string, OpenAsk>();
  /** The slots of the asks with another id than their slot's. */
  readonly #slots = new Map<string, string>();

  constructor(private readonly options: Pick<ConnectionOptions, "clock" | "newId">) {}

  /**
   * Calls `send` with the ask as it is to be sent for the first time, and returns its result: at once, unless another
   * node must first make the body. Then the result is true, and
   * `send` is called later (`isLate`), but not if the ask ends before.
   */
  begin(command: ModelCommand, send: (ask: SentAsk, isLate: boolean) => boolean): boolean {
    const { slot, request, model } = command;
    if (!request.added?.length)
      return send({ command, id: slot, refused: NONE, body: request.body(model, NONE) }, false);
    const known = this.#knownFor(command);
    const { bodyWithout, without = NONE } = request;
    const refused = bodyWithout ? without.union(known) : known;
    const ask = { command, id: slot, refused, tries: 1 };
    this.#open.set(slot, ask);
    if (!bodyWithout || refused.size === without.size)
      return send({ command, id: slot, refused, body: request.body(model, refused) }, false);
    bodyWithout(refused, (body) => {
      if (this.#open.get(slot) === ask) send({ ...ask, body: body ?? request.body(model, refused) }, true);
    });
    return true;
  }

  /** Returns the slot of the ask with this id; undefined for the id of an earlier try. */
  slotOf(id: string): string | undefined {
    if (this.#slots.size === 0) return id;
    const slot = this.#slots.get(id) ?? id;
    return this.idOf(slot) === id ? slot : undefined;
  }

  idOf(slot: string): string {
    return this.#open.get(slot)?.id ?? slot;
  }

  /**
   * Calls `next` with the ask as it is to be sent again, without the fields that the upstream's error names; with
   * undefined if that would change nothing. It is called at once, unless another node must first make the body, and not
   * if the ask ends before. Some upstreams complain about one field after the other, so each field may take one more
   * try, and no field two.
   */
  askAgain(slot: string, errorBody: string, next: (again: SentAsk | undefined) => void): void {
    const ask = this.#open.get(slot);
    const named = ask ? refusedFields(errorBody, stillAdded(ask)) : [];
    if (!ask || named.length === 0) {
      next(undefined);
      return;
    }
    const { request, model } = ask.command;
    const before = ask.refused;
    const refused = new Set([...before, ...named]);
    const isOpen = () => this.#open.get(slot) === ask;
    const take = (body: string | undefined) => {
      if (isOpen()) next(body === undefined ? undefined : { ...ask, body });
    };
    if (request.bodyWithout) {
      this.#renew(ask, refused);
      request.bodyWithout(refused, take);
      return;
    }
    const body = request.body(model, refused);
    const isOther = body !== request.body(model, before);
    if (isOther) this.#renew(ask, refused);
    take(isOther ? body : undefined);
  }

  /** Gives the ask a new id, so that what comes for the last try is for nobody. */
  #renew(ask: OpenAsk, refused: ReadonlySet<AddedField>): void {
    this.#slots.delete(ask.id);
    Object.assign(ask, { id: this.options.newId(), refused, tries: ask.tries + 1 });
    this.#slots.set(ask.id, ask.command.slot);
  }

  /** Notes that the agent no longer has the ask, and how the upstream ended it. */
  end(slot: string, outcome: "good" | "refused" | "other"): void {
    const ask = this.#open.get(slot);
    if (!ask) return;
    this.#open.delete(slot);
    this.#slots.delete(ask.id);
    const key = keyOf(ask.command);
    if (outcome === "good" && ask.tries > 1) {
      const refused = new Set([...this.#knownFor(ask.command), ...ask.refused]);
      this.#known.set(key, { refused, until: this.options.clock.now() + KNOWN_MS });
      // Perhaps another upstream is there by now, which knows only the first name of a field.
    } else if (outcome === "refused" && ask.refused.size > 0) this.#known.delete(key);
  }

  #knownFor(command: ModelCommand): ReadonlySet<AddedField> {
    const known = this.#known.size === 0 ? undefined : this.#known.get(keyOf(command));
    return known && known.until > this.options.clock.now() ? known.refused : NONE;
  }
}

const keyOf = ({ request, model }: ModelCommand): string => `${request.endpoint} ${model}`;

/** The added fields that the body of the ask still has. */
const stillAdded = ({ command, refused }: OpenAsk): AddedField[] =>
  (command.request.added ?? []).filter((name) => !refused.has(name));
