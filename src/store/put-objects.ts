import type { NewObject, ObjectContent } from "./store.ts";
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
    /** Writes what is pending if `isPending`, so that a read sees it. */
    async settle(isPending: boolean): Promise<void> {
      if (isPending) await behind.flush();
    },
    has: (owner: string | null, id: string): boolean => behind.find(keyOf(owner, id)) !== undefined,
    drop: (owner: string | null, id: string): void =>
      behind.remove((object) => object.owner === owner && object.id === id),
    dropUser: (user: string): void => behind.remove(({ owner }) => owner === user),
    flush: behind.flush,
    attempt: behind.attempt,
    end: behind.end,
  };
}
