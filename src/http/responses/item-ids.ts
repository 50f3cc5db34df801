import type { Typed } from "../models/responses/schema.ts";

interface ItemIds {
  /** Items whose ids are taken. */
  known?: readonly Typed[];
  newId: (item: Typed, index: number) => string;
}

/**
 * Returns the items, each with an id that no other one has. Callers and upstreams may use an id twice, and a list that is
 * read in pages, each after the last id of the one before, would never end then.
 */
export function withOwnIds(
  items: readonly Typed[],
  { known = [], newId }: ItemIds,
): (Typed & { id: string })[] {
  const taken = new Set(known.map((item) => item["id"]));
  return items.map((item, index) => {
    const { id } = item;
    const isFree = typeof id === "string" && id !== "" && !taken.has(id);
    const named = isFree
      ? { ...item, id }
      : { ...item, type: item.type ?? "message", id: newId(item, index) };
    taken.add(named.id);
    return named;
  });
}
