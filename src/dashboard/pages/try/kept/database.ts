import { ANY_TIME, type ChatBody, type ChatEntry, withoutRoom } from "./kept-chat.ts";

/*
 * The conversations that the browser keeps: their entries in one store and their bodies in another, so that the list does
 * not read the texts. Every function rejects if the browser keeps nothing, as some do in private windows.
 */

const NAME = "chatgpt-api-server.conversations";
const ENTRIES = "entries";
const BODIES = "bodies";

/** Some browsers never answer, for instance while another tab deletes the database. */
const OPEN_MS = 10_000;

let opened: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opened ??= openNew().catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

function openNew(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    const timer = setTimeout(() => reject(new DOMException("", "TimeoutError")), OPEN_MS);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(ENTRIES, { keyPath: "id" }).createIndex("owner", "owner");
      request.result.createObjectStore(BODIES, { keyPath: "id" });
    };
    request.onsuccess = () => {
      clearTimeout(timer);
      const database = request.result;
      // Without this, a tab with another version of the page waits for as long as this one is open.
      database.onversionchange = () => database.close();
      database.onclose = () => {
        opened = undefined;
      };
      resolve(database);
    };
    request.onerror = () => {
      clearTimeout(timer);
      reject(request.error);
    };
  });
}

/** Runs one transaction, and resolves with what the request in it returns once everything is written. */
async function transact<T>(
  mode: IDBTransactionMode,
  run: (entries: IDBObjectStore, bodies: IDBObjectStore) => IDBRequest<T> | undefined,
): Promise<T | undefined> {
  const transaction = (await open()).transaction([ENTRIES, BODIES], mode);
  const request = run(transaction.objectStore(ENTRIES), transaction.objectStore(BODIES));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** Resolves with the conversations of one owner, newest first. */
export async function listChats(owner: string): Promise<ChatEntry[]> {
  const found = await transact<ChatEntry[]>("readonly", (entries) => entries.index("owner").getAll(owner));
  return (found ?? []).sort((one, other) => other.at - one.at);
}

/** Resolves with a conversation, if it belongs to `owner`. */
export async function readChat(owner: string, id: string) {
  const entry = await transact<ChatEntry | undefined>("readonly", (entries) => entries.get(id));
  if (entry?.owner !== owner) return undefined;
  const body = await transact<ChatBody | undefined>("readonly", (_, bodies) => bodies.get(id));
  return body && { entry, body };
}

/**
 * Writes a conversation, and deletes the owner's oldest ones if there are too many. Writes nothing and resolves with
 * false if the conversation was last changed at another time than `before`, which is by another tab.
 */
export async function writeChat(
  entry: ChatEntry,
  body: ChatBody,
  before: number | undefined,
): Promise<boolean> {
  let isWritten = false;
  await transact("readwrite", (entries, bodies) => {
    const put = () => {
      isWritten = true;
      bodies.put(body);
      entries.put(entry);
    };
    if (before === ANY_TIME) {
      put();
      // A page that closes does not commit by itself.
      entries.transaction.commit();
      return undefined;
    }
    const read: IDBRequest<ChatEntry | undefined> = entries.get(entry.id);
    read.onsuccess = () => {
      if (read.result === undefined || read.result.at === before) put();
    };
    return undefined;
  });
  if (isWritten) await deleteChats(withoutRoom(await listChats(entry.owner)));
  return isWritten;
}

/** Gives a conversation another title. When it was last changed stays, so that no tab takes this for a change. */
export async function writeTitle(id: string, title: string): Promise<void> {
  await transact("readwrite", (entries) => {
    const read: IDBRequest<ChatEntry | undefined> = entries.get(id);
    read.onsuccess = () => read.result && entries.put({ ...read.result, title });
    return undefined;
  });
}

export async function deleteChats(chats: readonly Pick<ChatEntry, "id">[]): Promise<void> {
  if (chats.length === 0) return;
  await transact("readwrite", (entries, bodies) => {
    for (const { id } of chats) {
      entries.delete(id);
      bodies.delete(id);
    }
    return undefined;
  });
}
