import { createStore, type Store } from "../../../state/store.ts";
import { ANY_TIME, type ChatBody, type ChatEntry, newChatId } from "./kept-chat.ts";

interface KeeperOptions {
  /** Writes a conversation unless another tab has changed it since `before`. Resolves with whether it has written. */
  write(entry: ChatEntry, body: ChatBody, before: number | undefined): Promise<boolean>;
  /** Called when a conversation is kept as another one from now on. */
  onMoved(from: string, to: string): void;
}

/** Keeps conversations, one change after the other. */
export interface Keeper {
  /** Resolves once the conversation is kept, or cannot be. */
  keep(entry: ChatEntry, body: ChatBody): Promise<void>;
  /** Keeps the conversation before the page is gone. */
  keepAtOnce(entry: ChatEntry, body: ChatBody): void;
  /** Notes when a conversation that was opened had last been changed. */
  found(id: string, at: number): void;
  /** Resolves once everything is kept. */
  idle(): Promise<void>;
  /** Whether the newest change could not be kept. */
  isFailed: Store<boolean>;
}

/** Keeps a conversation that two tabs continue as two, so that neither loses what was said in it. */
export function createKeeper({ write, onMoved }: KeeperOptions): Keeper {
  const isFailed = createStore(false);
  const changedAt = new Map<string, number>();
  const moved = new Map<string, string>();
  let last: Promise<void> = Promise.resolve();

  async function keepAs(id: string, entry: ChatEntry, body: ChatBody): Promise<boolean> {
    const isWritten = await write({ ...entry, id }, { ...body, id }, changedAt.get(id));
    if (isWritten) changedAt.set(id, entry.at);
    return isWritten;
  }

  async function keepNow(entry: ChatEntry, body: ChatBody): Promise<void> {
    const id = moved.get(entry.id) ?? entry.id;
    if (await keepAs(id, entry, body)) return;
    const copy = newChatId();
    moved.set(entry.id, copy);
    await keepAs(copy, entry, body);
    onMoved(id, copy);
  }

  return {
    isFailed,
    keep(entry, body) {
      last = last
        .then(() => keepNow(entry, body))
        .then(
          () => isFailed.set(false),
          () => isFailed.set(true),
        );
      return last;
    },
    keepAtOnce(entry, body) {
      const id = moved.get(entry.id) ?? entry.id;
      void write({ ...entry, id }, { ...body, id }, ANY_TIME).catch(() => undefined);
    },
    found(id, at) {
      moved.delete(id);
      changedAt.set(id, at);
    },
    idle: () => last,
  };
}
