import { expect, test } from "bun:test";
import { EMPTY_SETTINGS } from "../../../../../src/dashboard/pages/try/chat/types.ts";
import { createKeeper } from "../../../../../src/dashboard/pages/try/kept/keeper.ts";
import type { ChatBody, ChatEntry } from "../../../../../src/dashboard/pages/try/kept/kept-chat.ts";

const bodyOf = (id: string): ChatBody => ({ id, settings: EMPTY_SETTINGS, turns: [] });
const entryOf = (id: string, at: number): ChatEntry => ({ id, owner: "o", title: `at ${at}`, at, length: 1 });

/** A database that two tabs share. */
function createDatabase() {
  const entries = new Map<string, ChatEntry>();
  return {
    entries,
    async write(entry: ChatEntry, body: ChatBody, before: number | undefined) {
      expect(body.id).toBe(entry.id);
      const found = entries.get(entry.id);
      if (found && found.at !== before) return false;
      entries.set(entry.id, entry);
      return true;
    },
  };
}

test("a conversation that is kept again and again stays one, also if changes come at once", async () => {
  const { entries, write } = createDatabase();
  const keeper = createKeeper({ write, onMoved: () => expect.unreachable() });
  void keeper.keep(entryOf("a", 1), bodyOf("a"));
  void keeper.keep(entryOf("a", 2), bodyOf("a"));
  await keeper.keep(entryOf("a", 3), bodyOf("a"));
  expect([...entries.values()].map(({ at }) => at)).toEqual([3]);
});

test("a conversation that two tabs continue is kept as two", async () => {
  const { entries, write } = createDatabase();
  const moves: string[][] = [];
  const [one, two] = [1, 2].map(() => createKeeper({ write, onMoved: (...move) => moves.push(move) }));
  await one?.keep(entryOf("a", 1), bodyOf("a"));
  two?.found("a", 1);
  await two?.keep(entryOf("a", 2), bodyOf("a"));
  void one?.keep(entryOf("a", 3), bodyOf("a"));
  await one?.keep(entryOf("a", 4), bodyOf("a"));
  expect(moves).toHaveLength(1);
  expect(moves[0]?.[0]).toBe("a");
  expect([...entries.values()].map(({ at }) => at)).toEqual([2, 4]);
});

test("a change that cannot be kept is noted until a later one is kept", async () => {
  let isFull = true;
  const write = async () => {
    if (isFull) throw new DOMException("full", "QuotaExceededError");
    return true;
  };
  const keeper = createKeeper({ write, onMoved: () => {} });
  await keeper.keep(entryOf("a", 1), bodyOf("a"));
  expect(keeper.isFailed.get()).toBe(true);
  isFull = false;
  await keeper.keep(entryOf("a", 2), bodyOf("a"));
  expect(keeper.isFailed.get()).toBe(false);
});
