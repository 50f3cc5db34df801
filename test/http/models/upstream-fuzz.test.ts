import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startBuiltinAgent } from "../../builtin-agent/start.ts";
import { takeFaults } from "../../support/description/described.ts";
import { askCase } from "../../support/fuzz/callers.ts";
import { createCase, type FuzzCase } from "../../support/fuzz/case.ts";
import { checkReply } from "../../support/fuzz/oracle.ts";
import { type FuzzUpstream, startFuzzUpstream } from "../../support/fuzz/upstream.ts";
import { chooseSeed } from "../../support/random.ts";
import { startTestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";

/**
 * Asks on each surface, whole and streamed, by way of the real server and the real built-in agent, an upstream
 * whose answers are those of fourteen vendors with random changes. More runs:
 * `FUZZ_RUNS=100000 SEED=… FUZZ_CORPUS=<folder> bun test --timeout=86400000 test/http/models/upstream-fuzz.test.ts`.
 * The cases that fail are written to the folder, and those in it are tried first.
 */
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 300);
const CORPUS = process.env["FUZZ_CORPUS"];
const PARALLEL = 8;
const FAILURES_MAX = 20;
const seed = chooseSeed();

async function startScene() {
  const upstream = await startFuzzUpstream();
  // Failures of one case are not to fail another.
  const server = await startTestServer(["--agent-failures-max", "0"]);
  const builtin = startBuiltinAgent(
    { host: new URL(server.url).host },
    { upstream: upstream.url, slots: PARALLEL, agentKey: server.agentKey },
  );
  await until(() => builtin.printed.some((line) => line.startsWith("connected")));
  return { upstream, url: server.url };
}

/** Runs a case. Returns what is wrong with the reply, if anything. */
async function run(
  { upstream, url }: { upstream: FuzzUpstream; url: string },
  number: number,
  given: FuzzCase,
) {
  upstream.cases.set(number, given);
  try {
    checkReply(given, await askCase(url, given, number));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    upstream.cases.delete(number);
  }
}

const keptCases = (folder: string): FuzzCase[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));

test(`answers of upstreams become right answers or clear errors (${RUNS} runs, SEED=${seed})`, async () => {
  const scene = await startScene();
  const kept = CORPUS === undefined ? [] : keptCases(CORPUS);
  const faults: string[] = [];
  let next = 0;
  const work = async () => {
    for (let at = next++; at < kept.length + RUNS && faults.length < FAILURES_MAX; at = next++) {
      const given = kept[at] ?? createCase((seed + (at - kept.length) * 7919) % 2 ** 32);
      const fault = await run(scene, at, given);
      if (fault === undefined) continue;
      const { name, surface, stream, verdict } = given;
      faults.push(
        `run ${at}, ${surface}${stream ? " streamed" : ""}, ${name}, ${verdict}: ${fault.slice(0, 1500)}`,
      );
      if (CORPUS !== undefined && !kept[at])
        writeFileSync(join(CORPUS, `${seed}-${at}.json`), JSON.stringify(given));
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  // A strange body may be passed on, and then it is not as the API's description says.
  const undescribed = takeFaults().filter((fault) => !/chat\/completions 200: the body/.test(fault));
  expect([...faults, ...undescribed]).toEqual([]);
});
