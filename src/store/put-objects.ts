import type { NewObject, ObjectContent, StoredObject } from "./store.ts";
import { createWriteBehind, type WriteBehindOptions } from "./write-behind.ts";

/** An object that is about to be written. */
export interface WrittenObject extends ObjectContent, Pick<NewObject, "owner" | "id" | "at"> {
  key: string;
}

/** The length that an object counts for besides its body. */
export const OBJECT_LENGTH = 1024;

/** Returns the key of an owner's object or item. No id has a slash, so the keys of two owners differ. */
export const keyOf = (owner: string | null, id: string): string =>
  `${owner === null ? "admin" : `user/${owner}`}/${id.replaceAll("/", "%")}`;

/** The objects that were put and are not written yet. */
export function createPutObjects(
  options: WriteBehindOptions,
  writeBatch: (objects: readonly WrittenObject[]) => Promise<void>,
) {
  const behind = createWriteBehind(options, {
    noun: "responses",
    keyOf: ({ owner, id }: NewObject) => keyOf(owner, id),
    lengthOf: ({ length }) => length,
    writeBatch: async (objects) => {
      const written: WrittenObject[] = [];
      for (const { owner, id, at, encode } of objects)
        written.push({ owner, id, at, key: keyOf(owner, id), ...(await encode()) });
      await writeBatch(written);
    },
  });
  return {
    put: behind.put,
    /** Returns an object that is pending, after a try to write it: a read sees it also while the disk is full. */
    async find(owner: string | null, id: string): Promise<StoredObject | undefined> {
      const key = keyOf(owner, id);
      if (behind.find(key) === undefined) return undefined;
      await behind.tryFlush();
      const content = await behind.find(key)?.encode();
      return content && { id, body: content.body, revision: 0 };
    },
    /** Drops an object that could not be written. False if there is none: it may have been written meanwhile. */
    async drop(owner: string | null, id: string): Promise<boolean> {
      const key = keyOf(owner, id);
      if (behind.find(key) === undefined) return false;
      // It may be in the batch that is being written.
      await behind.tryFlush();
      if (behind.find(key) === undefined) return false;
      behind.remove((object) => object.owner === owner && object.id === id);
      return true;
    },
    dropUser: (user: string): void => behind.remove(({ owner }) => owner === user),
    tryFlush: behind.tryFlush,
    attempt: behind.attempt,
    /** Resolves once what was put is written, or could not be. While writing fails, it does not wait. */
    async written(): Promise<void> {
      if (behind.unwritten() === 0) await behind.tryFlush();
    },
    end: behind.end,
  };
}
