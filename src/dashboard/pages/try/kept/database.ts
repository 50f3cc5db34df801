import { type ChatBody, type ChatEntry, withoutRoom } from "./kept-chat.ts";

/*
 * The conversations that the browser keeps: their entries in one store and their bodies in another, so that the list does
 * not read the texts. Every function rejects if the browser keeps nothing, as some do in private windows.
 */

const NAME = "chatgpt-api-server.conversations";
const ENTRIES = "entries";
const BODIES = "bodies";

let opened: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(ENTRIES, { keyPath: "id" }).createIndex("owner", "owner");
      request.result.createObjectStore(BODIES, { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  }).catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
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

/** Writes a conversation, and deletes the owner's oldest ones if there are too many. */
export async function writeChat(entry: ChatEntry, body: ChatBody): Promise<void> {
  await transact("readwrite", (entries, bodies) => {
    bodies.put(body);
    entries.put(entry);
    return undefined;
  });
  await deleteChats(withoutRoom(await listChats(entry.owner)));
}

export async function writeEntry(entry: ChatEntry): Promise<void> {
  await transact("readwrite", (entries) => {
    entries.put(entry);
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
