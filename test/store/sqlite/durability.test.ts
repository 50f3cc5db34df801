import { expect, test } from "bun:test";
import { join } from "node:path";
import { openTestFile, tempFolder } from "../../support/store.ts";

const ROUNDS = 6;
const SEED = Number(process.env["TEST_SEED"] ?? Date.now() % 1_000_000);

/** Mulberry32: small, seeded, good enough to choose moments with. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Adds users in a process of its own, kills that at a random moment after the first, gives what it acknowledged. */
async function addUntilKilled(path: string, prefix: string, lifeMs: number): Promise<string[]> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "add-users.ts"), path, prefix], {
    stderr: "inherit",
  });
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (text === "") setTimeout(() => child.kill("SIGKILL"), lifeMs);
    text += chunk;
  }
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
  // A last line without its end may be cut short.
  return text.slice(0, text.lastIndexOf("\n")).split("\n");
}

test(`every acknowledged user survives kill -9 (seed ${SEED})`, async () => {
  const random = createRandom(SEED);
  const path = join(tempFolder(), "server.db");
  const acknowledged: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    acknowledged.push(...(await addUntilKilled(path, `round ${round}`, random() * 100)));
    const store = openTestFile(path);
    const present = new Map((await store.users.list()).map((user) => [user.id, user]));
    expect(acknowledged.filter((id) => !present.has(id))).toEqual([]);
    for (const id of acknowledged.slice(-3))
      expect((await store.users.findByTokenHash(`hash of ${id}`))?.id).toBe(id);
    await store.close();
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(ROUNDS);
});
