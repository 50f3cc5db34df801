import { expect, test } from "bun:test";
import { startScene } from "../support/scene.ts";

test("after SIGTERM running and waiting asks finish, new ones are refused, agents are sent away to reconnect, and the exit code is 0", async () => {
  const scene = await startScene();
  const gate = Promise.withResolvers<object>();
  const agent = await scene.firefox({ answer: () => gate.promise });
  const running = scene.ask({ content: "running" });
  await agent.nextRequest();
  const waiting = scene.ask({ content: "waiting" });
  await scene.untilWaiting(1);
  scene.server.kill("SIGTERM");
  const [line] = await scene.server.output(/^.*"event":"draining".*$/m);
  expect(JSON.parse(line)).toMatchObject({ asks_running: 1, asks_waiting: 1, slots_in_use: 1 });
  const { status, text, headers } = await scene.ask({ content: "late" });
  expect([status, text]).toEqual([503, '{"error":"Server is shutting down"}']);
  expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  gate.resolve({});
  expect((await running).body.content).toBe("echo: running");
  expect((await waiting).body.content).toBe("echo: waiting");
  expect((await agent.ended).code).toBe(4000);
  expect(agent.notices).toMatchObject([{ message: "drain" }]);
  expect(await scene.server.exited).toEqual({ code: 0, signal: null });
});

test("with --lame-duck a server that is to stop says so at /ready, and serves on until that time has passed", async () => {
  const scene = await startScene({ flags: ["--lame-duck", "3s"] });
  const agent = await scene.firefox();
  const ready = async () => {
    const response = await fetch(`${scene.server.url}/ready`);
    return [response.status, ((await response.json()) as { reasons?: string[] }).reasons];
  };
  expect(await ready()).toEqual([200, undefined]);
  scene.server.kill("SIGTERM");
  await scene.server.output(/"event":"lame_duck"/);
  expect(await ready()).toEqual([503, ["the server is shutting down"]]);
  expect((await scene.ask({ content: "late" })).body.content).toBe("echo: late");
  expect((await agent.ended).code).toBe(4000);
  expect(await scene.server.exited).toEqual({ code: 0, signal: null });
});

test("SIGTERM ends an idle server without waiting for its agents and idle callers", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const scene = await startScene({ flags: ["--drain", "10m"] });
    const agents = [await scene.firefox(), await scene.python()];
    expect((await scene.ask({ content: "hi" })).status).toBe(200);
    scene.server.kill(signal);
    expect(await scene.server.exited).toEqual({ code: 0, signal: null });
    for (const agent of agents) expect((await agent.ended).code).toBe(4000);
  }
});

test("an ask that takes longer than the drain limit gets an error, and the server ends", async () => {
  const scene = await startScene({ flags: ["--drain", "300ms"] });
  const agent = await scene.firefox({ answer: () => "silent" });
  const running = scene.ask({ content: "endless" });
  await agent.nextRequest();
  scene.server.kill("SIGTERM");
  const { status, body } = await running;
  expect([status, body.error]).toEqual([503, "Server is shutting down"]);
  expect(await scene.server.exited).toEqual({ code: 0, signal: null });
});
