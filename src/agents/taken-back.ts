import { BoundedMap } from "../bounded-map.ts";
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
const KNOWN_MS = 3_600_000;

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

  /** Returns the ask as it is to be sent for the first time. */
  begin(command: ModelCommand): SentAsk {
    const { slot, request, model } = command;
    if (!request.added?.length) return { command, id: slot, refused: NONE, body: request.body(model, NONE) };
    const refused = this.#knownFor(command);
    this.#open.set(slot, { command, id: slot, refused, tries: 1 });
    return { command, id: slot, refused, body: request.body(model, refused) };
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
   * Returns the ask as it is to be sent again, without the fields that the upstream's error names; undefined if
   * that would change nothing. Some upstreams complain about one field after the other, so each field may take
   * one more try, and no field two.
   */
  askAgain(slot: string, errorBody: string): SentAsk | undefined {
    const ask = this.#open.get(slot);
    const { request, model } = ask?.command ?? {};
    if (!ask || !request || model === undefined) return undefined;
    const candidates = (request.added ?? []).filter((name) => !ask.refused.has(name));
    const named = refusedFields(errorBody, candidates);
    const refused = new Set([...ask.refused, ...named]);
    if (named.length === 0) return undefined;
    const body = request.body(model, refused);
    if (body === request.body(model, ask.refused)) return undefined;
    this.#slots.delete(ask.id);
    Object.assign(ask, { id: this.options.newId(), refused, tries: ask.tries + 1 });
    this.#slots.set(ask.id, slot);
    return { ...ask, body };
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
