import { AppError } from "../../errors.ts";
import { parseJson } from "../../json/parse.ts";
import type { ResponseObjectStore } from "../../store/store.ts";
import { KeptTexts } from "../models/responses/kept-texts.ts";
import { RESPONSE_AGE_MS } from "../models/responses/memory.ts";
import type { Typed } from "../models/responses/schema.ts";
import { withOwnIds } from "./item-ids.ts";
import { decodeConversation, encodeConversation, type KeptConversation } from "./stored-text.ts";

interface ConversationsOptions {
  /** The memory for conversations that are not stored; 0 for none. */
  bytesMax: number;
  /** Undefined if conversations are not stored. */
  store: ResponseObjectStore | undefined;
  /** The longest conversation. */
  lengthMax: number;
  newId: () => string;
  now: () => number;
}

/** How often a change is tried again that another node was faster with. */
const TRIES_MAX = 5;
/** One change to a conversation; undefined leaves it as it is. */
type Change = (conversation: KeptConversation) => KeptConversation | undefined;

/**
 * The conversations of `/v1/conversations`, by owner. Changes of one conversation follow each other, and each is
 * stored at once: they are not on the way of an answer's first byte.
 */
export class Conversations {
  readonly #texts: KeptTexts;
  /** The last change of each conversation that is being changed. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(private readonly options: ConversationsOptions) {
    const { bytesMax, now } = options;
    this.#texts = new KeptTexts({ bytesMax, ageMs: RESPONSE_AGE_MS, now });
  }

  async create(
    owner: string | null,
    { metadata, items }: Pick<KeptConversation, "metadata" | "items">,
  ): Promise<KeptConversation> {
    const { newId, now } = this.options;
    const conversation: KeptConversation = {
      id: `conv_${newId().replaceAll("-", "")}`,
      createdAt: Math.floor(now() / 1000),
      ...{ metadata, items: this.named(items), isFull: false },
    };
    this.#checkLength(conversation);
    await this.#write(owner, conversation, 0);
    return conversation;
  }

  /** Returns a conversation, with all changes that have begun. Throws `conversation_unknown`. */
  async read(owner: string | null, id: string): Promise<KeptConversation> {
    await this.#busy.get(keyOf(owner, id));
    return (await this.#find(owner, id)).conversation;
  }

  async delete(owner: string | null, id: string): Promise<void> {
    await this.#busy.get(keyOf(owner, id));
    const { store } = this.options;
    const wasThere = store
      ? isConversation(id) && (await store.delete(owner, id))
      : this.#texts.delete(owner, id);
    if (!wasThere) throw new AppError("conversation_unknown");
  }

  setMetadata(owner: string | null, id: string, metadata: KeptConversation["metadata"]) {
    return this.#change(owner, id, (known) => ({ ...known, metadata }));
  }

  /** Adds items of the caller, and returns them. Throws `conversation_full` if there are too many. */
  async addItems(owner: string | null, id: string, items: readonly Typed[]): Promise<readonly Typed[]> {
    let added: readonly Typed[] = [];
    await this.#change(owner, id, (known) => {
      added = this.named(items, known.items);
      const longer = { ...known, items: [...known.items, ...added] };
      this.#checkLength(longer);
      return longer;
    });
    return added;
  }

  /** Adds a turn. One that is too long is left out, and the conversation cannot be continued then. */
  async addTurn(owner: string | null, id: string, items: readonly Typed[]): Promise<void> {
    await this.#change(owner, id, (known) => {
      const longer = { ...known, items: [...known.items, ...this.named(items, known.items)] };
      return this.#isTooLong(longer) ? { ...known, isFull: true } : longer;
    });
  }

  deleteItem(owner: string | null, id: string, itemId: string): Promise<KeptConversation> {
    return this.#change(owner, id, (known) => {
      const items = known.items.filter((item) => item["id"] !== itemId);
      if (items.length === known.items.length) throw new AppError("item_unknown");
      return { ...known, items, isFull: false };
    });
  }

  /** Throws `conversation_full` if the conversation takes no more. */
  checkRoom(conversation: KeptConversation): void {
    if (conversation.isFull) throw full();
    this.#checkLength(conversation);
  }

  /** Forgets the conversations of a user that are in memory. */
  forget(userId: string): void {
    this.#texts.forget(userId);
  }

  /** Returns the items, each with an id that no other item has, nor one of the `known`. */
  named(items: readonly Typed[], known: readonly Typed[] = []): Typed[] {
    const prefix = (item: Typed) => PREFIXES.get(item.type ?? "message") ?? "item";
    return withOwnIds(items, {
      known,
      newId: (item) => `${prefix(item)}_${this.options.newId().replaceAll("-", "")}`,
    });
  }

  #checkLength(conversation: KeptConversation): void {
    if (this.#isTooLong(conversation)) throw full();
  }

  #isTooLong({ items, metadata }: KeptConversation): boolean {
    return JSON.stringify([items, metadata]).length > this.options.lengthMax;
  }

  async #change(owner: string | null, id: string, change: Change): Promise<KeptConversation> {
    const key = keyOf(owner, id);
    const before = this.#busy.get(key);
    const changing = (before ?? Promise.resolve()).catch(() => {}).then(() => this.#apply(owner, id, change));
    // A failed change must not be an unhandled rejection of the next one's.
    const settled = changing.catch(() => {});
    this.#busy.set(key, settled);
    try {
      return await changing;
    } finally {
      if (this.#busy.get(key) === settled) this.#busy.delete(key);
    }
  }

  async #apply(owner: string | null, id: string, change: Change): Promise<KeptConversation> {
    for (let count = 0; count < TRIES_MAX; count++) {
      const { conversation, revision } = await this.#find(owner, id);
      const changed = change(conversation);
      if (!changed || (await this.#write(owner, changed, revision))) return changed ?? conversation;
    }
    throw new AppError("database_away");
  }

  async #find(
    owner: string | null,
    id: string,
  ): Promise<{ conversation: KeptConversation; revision: number }> {
    const { store } = this.options;
    if (!store) {
      const text = this.#texts.get(owner, id);
      // Nothing but this class has written it.
      if (text !== undefined) return { conversation: parseJson(text) as KeptConversation, revision: 0 };
      throw new AppError("conversation_unknown");
    }
    const stored = isConversation(id) ? await store.find(owner, id) : undefined;
    const conversation = stored && (await decodeConversation(stored.body));
    if (!stored || !conversation) throw new AppError("conversation_unknown");
    return { conversation, revision: stored.revision };
  }

  async #write(owner: string | null, conversation: KeptConversation, revision: number): Promise<boolean> {
    const { store, now } = this.options;
    const { id } = conversation;
    if (store) {
      const body = await encodeConversation(conversation);
      return store.replace({ owner, id, at: now(), body, items: [] }, revision);
    }
    this.#texts.set(owner, id, JSON.stringify(conversation));
    return true;
  }
}

/** The ids of items begin with their kind, as those of OpenAI do. */
const PREFIXES: ReadonlyMap<string, string> = new Map([
  ["message", "msg"],
  ["function_call", "fc"],
  ["function_call_output", "fco"],
  ["custom_tool_call", "ctc"],
  ["custom_tool_call_output", "ctco"],
  ["reasoning", "rs"],
]);

const keyOf = (owner: string | null, id: string): string => JSON.stringify([owner, id]);

/** Responses are stored in the same place. */
const isConversation = (id: string): boolean => id.startsWith("conv_");

const full = (): AppError =>
  new AppError("conversation_full", { hint: "Delete items, or begin a new conversation." });
