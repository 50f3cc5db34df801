import { expect, test } from "bun:test";
import type { FoundServer } from "../../../src/builtin-agent/discovery/discover.ts";
import { verifiedUpstream } from "../../../src/builtin-agent/discovery/verified-upstream.ts";
import { DiscoveryWatch } from "../../../src/builtin-agent/discovery/watch.ts";
import { createFakeClock } from "../../support/clock.ts";
import { createScriptedUpstream, DOWN, offering } from "../start.ts";

const found = (port: number, ...alsoAt: number[]): FoundServer => ({
  ...{ name: "Ollama", slug: "ollama", models: [] },
  url: `http://127.0.0.1:${port}/v1`,
  alsoAt: alsoAt.map((other) => `http://127.0.0.1:${other}/v1`),
});

/** A search whose looks return what the test sets, with the longest pauses. */
async function watching(first: readonly FoundServer[]) {
  const clock = createFakeClock();
  let now = first;
  let looks = 0;
  const seen: string[] = [];
  const look = async () => {
    looks++;
    return now;
  };
  const onFound = ({ url }: FoundServer) => seen.push(new URL(url).port);
  const watch = new DiscoveryWatch({ look, onFound, clock, random: () => 1 });
  await watch.start();
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 1_000) {
      clock.advance(1_000);
      await Bun.sleep(0);
    }
  };
  const set = (next: readonly FoundServer[]) => {
    now = next;
  };
  return { watch, seen, set, pass, looks: () => looks, clock };
}

test("a model server that starts later is found, and each is found once", async () => {
  const { seen, set, pass } = await watching([found(11434)]);
  expect(seen).toEqual(["11434"]);
  set([found(11434), found(8080)]);
  await pass(20_000);
  expect(seen).toEqual(["11434", "8080"]);
  set([]);
  await pass(20_000);
  set([found(8080), found(11434)]);
  await pass(600_000);
  expect(seen).toEqual(["11434", "8080"]);
});

test("the pauses between the looks grow to five minutes, and begin anew when something was found", async () => {
  const { looks, pass, set } = await watching([]);
  const looksIn = async (ms: number) => {
    const before = looks();
    await pass(ms);
    return looks() - before;
  };
  expect(await looksIn(20_000)).toBe(1);
  expect(await looksIn(39_000)).toBe(0);
  await pass(600_000);
  const inAnHour = await looksIn(3_600_000);
  expect(inAnHour).toBe(12);
  set([found(1337)]);
  await pass(300_000);
  expect(await looksIn(20_000)).toBe(1);
});

test("a port that seemed to belong to a known process is added when it no longer does", async () => {
  const { seen, set, pass } = await watching([found(11434, 8080)]);
  set([found(8080, 11434)]);
  await pass(20_000);
  expect(seen).toEqual(["11434"]);
  set([found(11434), found(8080)]);
  await pass(60_000);
  expect(seen).toEqual(["11434", "8080"]);
});

test("nothing is looked for after the search has been stopped", async () => {
  const { watch, looks, clock, pass } = await watching([]);
  watch.stop();
  await pass(600_000);
  expect([looks(), clock.pending()]).toEqual([1, 0]);
});

test("an upstream that comes back is used only if a model server answers there", async () => {
  const { upstream, set } = createScriptedUpstream(offering("m"));
  let isModelServer = false;
  let looks = 0;
  const verified = verifiedUpstream(upstream, async () => {
    looks++;
    return isModelServer;
  });
  const { signal } = new AbortController();
  expect(await verified.check(signal)).toEqual(offering("m"));
  expect(looks).toBe(0);
  set(DOWN);
  expect(await verified.check(signal)).toEqual(DOWN);
  set(offering("m"));
  const other = { problem: "another program answers at its address", unreachable: false };
  expect(await verified.check(signal)).toEqual(other);
  expect(await verified.check(signal)).toEqual(other);
  isModelServer = true;
  expect(await verified.check(signal)).toEqual(offering("m"));
  expect(await verified.check(signal)).toEqual(offering("m"));
  expect(looks).toBe(3);
});
