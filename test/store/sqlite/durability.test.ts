import { expect, test } from "bun:test";
import { join } from "node:path";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { openTestFile, tempFolder } from "../../support/store.ts";

const ROUNDS = 6;

/** Adds users in a child process and kills it after `lifeMs`. Returns the ids that it acknowledged. */
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
  // The last line may be incomplete.
  return text.slice(0, text.lastIndexOf("\n")).split("\n");
}

const seed = chooseSeed();
test(`every acknowledged user survives kill -9 (SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const path = join(tempFolder(), "server.db");
  const acknowledged: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    acknowledged.push(...(await addUntilKilled(path, `round ${round}`, random.next() * 100)));
    const store = openTestFile(path);
    const present = new Map((await store.users.list()).map((user) => [user.id, user]));
    expect(acknowledged.filter((id) => !present.has(id))).toEqual([]);
    for (const id of acknowledged.slice(-3))
      expect((await store.users.findByTokenHash(`hash of ${id}`))?.id).toBe(id);
    await store.close();
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(ROUNDS);
});
