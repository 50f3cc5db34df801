/** A response with its events, or a conversation of the Responses API. The store does not look into it. */
export interface StoredObject {
  id: string;
  body: Uint8Array;
  /** Counts its changes. */
  revision: number;
}

/** The content of an object, and the ids of the items in it that may be referred to. */
export interface ObjectContent {
  body: Uint8Array;
  items: readonly string[];
}

export interface NewObject {
  /** The id of the user; null for the admin. */
  owner: string | null;
  id: string;
  /** When it was made or used. */
  at: number;
  /** About the bytes that it takes until it is written. */
  length: number;
  /** Makes the content when the object is written. */
  encode: () => Promise<ObjectContent>;
}

/** The objects of each owner, who never gets those of another. The ids of two owners may be the same. */
export interface ResponseObjectStore {
  /** Returns at once, and replaces what has the id. It is written within about a second; reads see it at once. */
  put(object: NewObject): void;
  find(owner: string | null, id: string): Promise<StoredObject | undefined>;
  /** Finds the object that has an item of this id. */
  findByItem(owner: string | null, itemId: string): Promise<StoredObject | undefined>;
  /** Adds an object now (`revision` 0), or replaces one. False, and nothing is done, if it has another revision. */
  replace(object: Omit<NewObject, "encode" | "length"> & ObjectContent, revision: number): Promise<boolean>;
  /** False when the owner has no such object. */
  delete(owner: string | null, id: string): Promise<boolean>;
  /** Resolves once what was put before is written, or could not be: then a killed process does not lose it. */
  written(): Promise<void>;
  /** Resolves once other servers can read what was put before. Missing if there are none. */
  shared?(): Promise<void>;
  /** Deletes the objects not used since this time. Resolves with their number. */
  purge(unusedSince: number): Promise<number>;
}
