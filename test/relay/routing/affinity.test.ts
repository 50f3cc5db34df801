import { beforeEach, describe, expect, test } from "bun:test";
import { ADMIN, type Principal, userIdOf, userPrincipal } from "../../../src/principal.ts";
import { AFFINITY_AGE_MS, AFFINITY_ENTRIES_MAX, AffinityBook } from "../../../src/relay/routing/affinity.ts";
import { createFakeClock, type FakeClock } from "../../support/clock.ts";
import { chooseSeed, createRandom, type Random } from "../../support/random.ts";

const ANN = userPrincipal("ann");
const BEN = userPrincipal("ben");

let clock: FakeClock;
let book: AffinityBook;

function createBook(entriesMax?: number) {
  return new AffinityBook({ clock, random: () => 0.5, ...(entriesMax && { entriesMax }) });
}

beforeEach(() => {
  clock = createFakeClock();
  book = createBook();
});

const find = (principal: Principal, model: string, ...known: string[]) =>
  book.find(principal, model, { known, kept: [] });
const note = (principal: Principal, model: string, agentId: string, ...kept: string[]) =>
  book.note(principal, model, { known: [], kept }, agentId);

describe("the affinity book", () => {
  test("the agent that answered is found by the first known key", () => {
    note(ANN, "m", "one", "turn-1");
    note(ANN, "m", "two", "turn-2", "session");
    expect(find(ANN, "m", "turn-3", "turn-2", "turn-1")).toBe("two");
    expect(find(ANN, "m", "turn-1", "turn-2")).toBe("one");
    expect(find(ANN, "m", "turn-3")).toBeUndefined();
    expect(find(ANN, "m")).toBeUndefined();
  });

  test("the last agent that answered with a key is found", () => {
    note(ANN, "m", "one", "session");
    note(ANN, "m", "two", "session");
    expect(find(ANN, "m", "session")).toBe("two");
    expect(book.size).toBe(1);
  });

  test("users, the administrator and models share no keys", () => {
    note(ANN, "m", "one", "session");
    expect(find(BEN, "m", "session")).toBeUndefined();
    expect(find(ADMIN, "m", "session")).toBeUndefined();
    expect(find(userPrincipal("annm"), "", "session")).toBeUndefined();
    expect(find(ANN, "n", "session")).toBeUndefined();
    expect(find(ANN, "ms", "ession")).toBeUndefined();
    note(ADMIN, "m", "two", "session");
    expect(find(ADMIN, "m", "session")).toBe("two");
    expect(find(ANN, "m", "session")).toBe("one");
  });

  test("an entry is forgotten 30 minutes after its last use, and a search that finds it is a use", () => {
    note(ANN, "m", "one", "used", "unused");
    clock.advance(AFFINITY_AGE_MS);
    expect(find(ANN, "m", "used")).toBe("one");
    clock.advance(1);
    expect(find(ANN, "m", "unused")).toBeUndefined();
    clock.advance(AFFINITY_AGE_MS - 1);
    expect(find(ANN, "m", "used")).toBe("one");
    clock.advance(AFFINITY_AGE_MS + 1);
    expect(find(ANN, "m", "used")).toBeUndefined();
  });

  test("the entries of users who stay away are removed when others ask", () => {
    for (let user = 0; user < 50; user++) note(userPrincipal(`user-${user}`), "m", "one", "a", "b");
    clock.advance(AFFINITY_AGE_MS + 1);
    for (let turn = 0; turn < 50; turn++) note(ANN, "m", "one", "session");
    expect(book.size).toBe(1);
  });

  test("the aged entries of a user who stays are removed a few at a time", () => {
    for (let turn = 0; turn < 100; turn++) note(ANN, "m", "one", `turn-${turn}`);
    clock.advance(AFFINITY_AGE_MS);
    note(ANN, "m", "one", "session");
    clock.advance(1);
    note(ANN, "m", "one", "session");
    expect(book.size).toBe(85);
    for (let turn = 0; turn < 10; turn++) note(ANN, "m", "one", "session");
    expect(book.size).toBe(1);
  });

  test("a user who fills the book loses their own oldest entries, and no one else's", () => {
    book = createBook(100);
    note(BEN, "m", "two", "a", "b", "c");
    for (let turn = 0; turn < 1000; turn++) note(ANN, "m", "one", `turn-${turn}`);
    expect(book.size).toBe(100);
    expect(["a", "b", "c"].map((key) => find(BEN, "m", key))).toEqual(["two", "two", "two"]);
    expect(find(ANN, "m", "turn-902")).toBeUndefined();
    expect(find(ANN, "m", "turn-903")).toBe("one");
    for (let turn = 0; turn < 200; turn++) note(BEN, "m", "two", `turn-${turn}`);
    const countOf = (user: Principal) =>
      Array.from({ length: 1000 }, (_, turn) => find(user, "m", `turn-${turn}`)).filter(Boolean).length;
    expect([countOf(ANN), countOf(BEN)]).toEqual([50, 50]);
  });

  test("a user is forgotten, and nobody else", () => {
    note(ANN, "m", "one", "a", "b");
    note(BEN, "m", "two", "a");
    book.forget("ann");
    book.forget("unknown");
    expect(find(ANN, "m", "a")).toBeUndefined();
    expect(find(BEN, "m", "a")).toBe("two");
    expect(book.size).toBe(1);
  });

  test("different keys have different hashes", () => {
    book = createBook(400_000);
    for (let turn = 0; turn < 50_000; turn++)
      note(
        ANN,
        turn % 2 ? "m" : "qwen3:30b",
        "one",
        `${turn}`,
        `c${turn.toString(36)}`,
        `${turn}/1`,
        `/${turn}`,
      );
    expect(book.size).toBe(200_000);
  });

  test("a full book takes at most 25 MB", () => {
    const before = memoryUsed();
    for (let turn = 0; turn < AFFINITY_ENTRIES_MAX * 1.5; turn++)
      note(userPrincipal(`user-${turn % 1000}`), "qwen3:30b", `agent-${turn % 8}`, `key-${turn}`);
    expect(book.size).toBe(AFFINITY_ENTRIES_MAX);
    expect((memoryUsed() - before) / 1_000_000).toBeLessThan(25);
  });
});

function memoryUsed(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed;
}

interface SimpleEntry {
  user: string | null;
  name: string;
  agentId: string;
  usedAtMs: number;
}

/** Does what the book does, slowly. */
class SimpleBook {
  #entries: SimpleEntry[] = [];
  /** When the number of entries of a user changed last. */
  readonly #changes = new Map<string | null, number>();
  readonly #lastUse = new Map<string | null, number>();
  #change = 0;

  constructor(private readonly entriesMax: number) {}

  get size() {
    return this.#entries.length;
  }

  find(user: string | null, names: readonly string[]): string | undefined {
    const now = clock.now();
    for (const name of names) {
      const entry = this.#entries.find((each) => each.user === user && each.name === name);
      if (!entry || now - entry.usedAtMs > AFFINITY_AGE_MS) continue;
      entry.usedAtMs = now;
      this.#use(user);
      this.#entries = [...this.#entries.filter((each) => each !== entry), entry];
      return entry.agentId;
    }
    return undefined;
  }

  note(user: string | null, names: readonly string[], agentId: string) {
    const now = clock.now();
    const [first] = this.#lastUse;
    if (first && now - first[1] > AFFINITY_AGE_MS) this.forget(first[0]);
    const aged = this.#entries.filter((each) => each.user === user && now - each.usedAtMs > AFFINITY_AGE_MS);
    for (const entry of aged.slice(0, 16)) this.#remove(entry);
    const countOf = () => this.#entries.filter((each) => each.user === user).length;
    const before = countOf();
    for (const name of names) {
      const old = this.#entries.find((each) => each.user === user && each.name === name);
      this.#entries = this.#entries.filter((each) => each !== old);
      this.#entries.push({ user, name, agentId, usedAtMs: now });
    }
    if (countOf() !== before) this.#changes.set(user, this.#change++);
    this.#use(user);
    while (this.size > this.entriesMax) this.#removeOne();
  }

  forget(user: string | null) {
    this.#entries = this.#entries.filter((each) => each.user !== user);
    this.#lastUse.delete(user);
  }

  #use(user: string | null) {
    this.#lastUse.delete(user);
    this.#lastUse.set(user, clock.now());
  }

  #removeOne() {
    const counts = Map.groupBy(this.#entries, ({ user }) => user);
    const [most] = [...counts].sort(
      ([a, ofA], [b, ofB]) =>
        ofB.length - ofA.length || (this.#changes.get(a) ?? 0) - (this.#changes.get(b) ?? 0),
    );
    const oldest = most?.[1][0];
    if (oldest) this.#remove(oldest);
  }

  #remove(entry: SimpleEntry) {
    this.#entries = this.#entries.filter((each) => each !== entry);
    this.#changes.set(entry.user, this.#change++);
    if (!this.#entries.some(({ user }) => user === entry.user)) this.#lastUse.delete(entry.user);
  }
}

describe("the affinity book in random use", () => {
  const seed = chooseSeed();

  test(`the affinity book does what a simple book does (SEED=${seed})`, () => {
    const random = createRandom(seed);
    for (let run = 0; run < 20; run++) compareWithSimpleBook(random);
  });
});

function compareWithSimpleBook(random: Random) {
  clock = createFakeClock();
  const entriesMax = 1 + random.below(40);
  book = createBook(entriesMax);
  const simple = new SimpleBook(entriesMax);
  const users: Principal[] = [ADMIN, ...["a", "b", "c", "d"].map(userPrincipal)];
  const keys = () => Array.from({ length: random.below(4) }, () => `key-${random.below(30)}`);
  for (let step = 0; step < 600; step++) {
    const user = random.pick(users.slice(0, 1 + random.below(users.length)));
    const userId = userIdOf(user);
    const model = random.pick(["m", "n"]);
    const some = keys();
    const names = some.map((key) => `${model} ${key}`);
    const what = random.below(20);
    if (what < 9) expect(find(user, model, ...some)).toBe(simple.find(userId, names) as string);
    else if (what < 17 && some.length > 0) {
      const agentId = `agent-${random.below(5)}`;
      note(user, model, agentId, ...some);
      simple.note(userId, names, agentId);
    } else if (what === 17 && userId !== null) {
      book.forget(userId);
      simple.forget(userId);
    } else clock.advance(random.below(AFFINITY_AGE_MS / 4));
    expect(book.size).toBe(simple.size);
  }
}
