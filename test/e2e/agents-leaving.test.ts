import { expect, test } from "bun:test";
import { startAgentProcess } from "../support/agent-process.ts";
import { type Scene, startScene } from "../support/scene.ts";
import { askStreamed } from "../support/stream-caller.ts";
import { until } from "../support/until.ts";
import { startFaultUpstream } from "../support/upstream/start.ts";

const SLOW = "word ".repeat(100).trim();

const stream = (scene: Scene, model: string, content: string, onReceived = () => {}) =>
  askStreamed(scene.url, "/api/ask", { key: scene.adminKey, body: { content, model }, onReceived });

async function agentsOf(scene: Scene) {
  const init = { headers: { authorization: scene.adminKey } };
  return (await scene.request<{ agents: { paused: boolean }[] }>("/admin/agents", init)).body.agents;
}

/** Returns how many asks the agent has ended, according to its log. */
const endedOf = (log: string) => log.split("\n").filter((line) => line.includes('"ask_ended"')).length;

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`an agent that gets ${signal} while it streams finishes its answers, takes no more requests, and exits with 0`, async () => {
    const upstream = await startFaultUpstream();
    const scene = await startScene();
    const flags = ["--upstream", upstream.url, "--log-level", "debug"];
    const leaving = await startAgentProcess([scene.url, ...flags]);
    await upstream.reset();
    const running = [stream(scene, "slow-words", SLOW), stream(scene, "slow-words", `${SLOW} too`)];
    await upstream.openUntil(({ open }) => open === 2);
    const staying = await startAgentProcess([scene.url, ...flags]);

    leaving.kill(signal);
    await until(async () => (await agentsOf(scene)).some(({ paused }) => paused));
    const later = await Promise.all(
      Array.from({ length: 20 }, (_, at) => stream(scene, "echo", `later ${at}`)),
    );
    expect(later.map(({ how, text }) => [how, text])).toEqual(later.map((_, at) => ["whole", `later ${at}`]));
    await until(() => endedOf(staying.stdout()) >= 20);
    expect(endedOf(staying.stdout())).toBe(20);
    expect(endedOf(leaving.stdout())).toBe(0);

    const answers = await Promise.all(running);
    expect(answers.map(({ how, text }) => [how, text])).toEqual([
      ["whole", SLOW],
      ["whole", `${SLOW} too`],
    ]);
    expect(await leaving.exited).toEqual({ code: 0, signal: null });
    expect(endedOf(leaving.stdout())).toBe(2);
    expect(await scene.connections()).toHaveLength(1);
    expect((await upstream.open()).aborted).toBe(0);
  });
}

test("an answer that takes longer than --drain ends with an error, its upstream request is aborted, and the agent exits with 0", async () => {
  const upstream = await startFaultUpstream();
  const scene = await startScene();
  const agent = await startAgentProcess([scene.url, "--upstream", upstream.url, "--drain", "300ms"]);
  await upstream.reset();
  const begun = Promise.withResolvers<void>();
  const running = stream(scene, "stalls", SLOW, begun.resolve);
  await begun.promise;
  agent.kill();
  const { how, error } = await running;
  expect([how, error]).toEqual(["failed", "The agent could not answer"]);
  expect(await agent.exited).toEqual({ code: 0, signal: null });
  expect(await upstream.openUntil(({ open }) => open === 0)).toMatchObject({ started: 1, aborted: 1 });
});

test("a second signal ends the agent at once, and the caller gets an error", async () => {
  const upstream = await startFaultUpstream();
  const scene = await startScene();
  const agent = await startAgentProcess([scene.url, "--upstream", upstream.url]);
  await upstream.reset();
  const begun = Promise.withResolvers<void>();
  const running = stream(scene, "stalls", SLOW, begun.resolve);
  await begun.promise;
  agent.kill();
  await agent.output(/"event":"stopping"/);
  agent.kill("SIGINT");
  expect(await agent.exited).toEqual({ code: 1, signal: null });
  expect((await running).how).toBe("failed");
  await upstream.openUntil(({ open }) => open === 0);
});

test("when a caller hangs up, before the first byte or after it, the upstream's request is aborted", async () => {
  const upstream = await startFaultUpstream();
  const scene = await startScene();
  await startAgentProcess([scene.url, "--upstream", upstream.url]);
  await upstream.reset();
  for (const path of ["/api/ask", "/v1/chat/completions"] as const) {
    for (const model of ["never", "stalls"]) {
      const messages = [{ role: "user", content: SLOW }];
      const body = { content: SLOW, messages, model };
      const begun = Promise.withResolvers<void>();
      const { how } = await askStreamed(scene.url, path, {
        key: scene.adminKey,
        body,
        leaveAfter: {
          event: model === "never" ? upstream.openUntil(({ open }) => open === 1) : begun.promise,
        },
        onReceived: () => begun.resolve(),
      });
      const counts = await upstream.openUntil(({ open }) => open === 0);
      expect([path, model, how, counts.open]).toEqual([path, model, "left", 0]);
    }
  }
  expect(await upstream.open()).toEqual({ open: 0, started: 4, aborted: 4 });
});
