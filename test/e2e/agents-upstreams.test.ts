import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startAgentProcess } from "../support/agent-process.ts";
import { chooseSeed, createRandom } from "../support/random.ts";
import { type Scene, startScene } from "../support/scene.ts";
import { tempFolder } from "../support/store.ts";
import { askStreamed } from "../support/stream-caller.ts";
import { until } from "../support/until.ts";
import { longAnswer } from "../support/upstream/fault-content.ts";
import { modelText } from "../support/upstream/model-answers.ts";
import { startModelUpstream } from "../support/upstream/model-upstream.ts";
import { startFaultUpstream } from "../support/upstream/start.ts";

const KILLS = 4;
const WORDS_MS = 15;
const seed = chooseSeed();

async function modelsOf({ url, adminKey }: Scene): Promise<string[]> {
  const response = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${adminKey}` } });
  return ((await response.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
}

/** Writes the configuration file of an agent with three upstreams, and returns its path. */
function writeConfig(
  upstreams: Record<string, { url: string; models: readonly string[]; slots: number }>,
): string {
  const path = join(tempFolder(), "agent.toml");
  const tables = Object.entries(upstreams).map(
    ([name, { url, models, slots }]) =>
      `[[upstreams]]\nname = "${name}"\nurl = "${url}"\nslots = ${slots}\nmodels = ${JSON.stringify(models)}\nkey = "upstream-key-${name}"\n`,
  );
  writeFileSync(path, `name = "desk"\n\n${tables.join("\n")}`, { mode: 0o600 });
  return path;
}

test(`one upstream of three dies and comes back ${KILLS} times, and streams through the others are byte-exact (SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const scene = await startScene({ flags: ["--reconnect-grace", "0", "--queue-wait", "5s"] });
  const [steady, model] = [await startFaultUpstream(), await startModelUpstream()];
  let flaky = await startFaultUpstream();
  const agent = await startAgentProcess([
    scene.url,
    "--config",
    writeConfig({
      steady: { url: steady.url, models: ["long", "slow-words"], slots: 8 },
      model: { url: model.url, models: ["small-slow"], slots: 4 },
      flaky: { url: flaky.url, models: ["echo", "never"], slots: 4 },
    }),
  ]);
  await until(async () => (await modelsOf(scene)).length === 5);

  const stream = (name: string, content: string, more = {}) =>
    askStreamed(scene.url, "/v1/chat/completions", {
      key: scene.adminKey,
      body: { model: name, messages: [{ role: "user", content }], ...more },
    });
  let isOver = false;
  const wrong: string[] = [];
  let streams = 0;
  /** Requests one stream after another, and notes every answer that is not exactly the expected one. */
  const call = async (name: string, next: () => [content: string, expected: string, more?: object]) => {
    while (!isOver) {
      const [content, expected, more] = next();
      const { how, text, status, error } = await stream(name, content, more);
      streams++;
      if (how !== "whole" || text !== expected) wrong.push(`${name}: ${how} ${status} ${error}`);
    }
  };
  const words = () => longAnswer(random.below(1_000_000), 200 + random.below(400));
  const slowly = (): [string, string, object] => {
    const content = words();
    return [content, content, { delay_ms: WORDS_MS }];
  };
  const long = (): [string, string, object] => {
    const [ofSeed, size] = [random.below(1_000_000), 1 + random.below(200_000)];
    return ["q", longAnswer(ofSeed, size), { seed: ofSeed, size }];
  };
  const asked = (): [string, string] => {
    const content = `the question ${random.below(1000)}`;
    return [content, modelText(content)];
  };
  const callers = [
    call("slow-words", slowly),
    call("slow-words", slowly),
    call("long", long),
    call("small-slow", asked),
  ];

  for (let kills = 0; kills < KILLS; kills++) {
    const { how, text } = await stream("echo", "are you there?");
    expect([kills, how, text]).toEqual([kills, "whole", "are you there?"]);
    const caught = stream("never", "q");
    await flaky.openUntil(({ open }) => open === 1);
    const { port } = flaky;
    await flaky.stop();
    // No other agent has the model, so the request fails at once instead of waiting for the upstream.
    expect(await caught).toMatchObject({ how: "refused" });
    await until(async () => !(await modelsOf(scene)).includes("echo"));
    expect(await modelsOf(scene)).toEqual(expect.arrayContaining(["long", "slow-words", "small-slow"]));
    await Bun.sleep(random.below(1000));
    flaky = await startFaultUpstream({ port });
    await until(async () => (await modelsOf(scene)).includes("echo"));
  }
  isOver = true;
  await Promise.all(callers);
  expect(wrong).toEqual([]);
  expect(streams).toBeGreaterThan(KILLS);

  const { agents } = (
    await scene.request<{ agents: { name: string; slots: number }[] }>("/admin/agents", {
      headers: { authorization: scene.adminKey },
    })
  ).body;
  const slots = Object.fromEntries(agents.map((each) => [each.name, each.slots]));
  expect(slots).toEqual({ "desk/steady": 8, "desk/model": 4, "desk/flaky": 4 });
  expect(agent.stderr()).not.toContain("reconnecting");
  expect(agent.stdout() + agent.stderr()).not.toContain("upstream-key-");
  expect(agent.stderr()).toContain("desk/flaky: ");
  agent.kill();
  expect(await agent.exited).toEqual({ code: 0, signal: null });
});

test("an agent takes its server, its key and its upstreams from one file in JSON", async () => {
  const [first, second] = [await startFaultUpstream(), await startFaultUpstream()];
  const scene = await startScene();
  const path = join(tempFolder(), "agent.json");
  const upstreams = [{ url: first.url }, { url: second.url, priority: 10, models: ["echo"] }];
  const config = { server: scene.url, "agent-key": scene.agentKey, name: "desk", upstreams };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  const agent = await startAgentProcess(["--config", path]);
  await until(async () => (await scene.connections()).length === 2);
  await second.reset();
  for (let count = 0; count < 3; count++)
    expect((await scene.ask({ content: "which one?", model: "echo" })).body.content).toBe("which one?");
  // The one with the higher priority has it all.
  expect((await second.open()).started).toBe(3);
  expect(agent.stdout() + agent.stderr()).not.toContain(scene.agentKey);
});
