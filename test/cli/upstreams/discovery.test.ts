import { expect, onTestFinished, test } from "bun:test";
import { AgentGroup } from "../../../src/builtin-agent/agent-group.ts";
import { readServerAddress } from "../../../src/builtin-agent/server/server-address.ts";
import { readArgs } from "../../../src/cli/args.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { discoverUpstreams } from "../../../src/cli/upstreams/discovery.ts";
import { CommandError } from "../../../src/errors.ts";
import { createLog } from "../../../src/log/log.ts";
import { RECORDED, serveRecorded } from "../../builtin-agent/discovery/answers.ts";
import { startAgentServer } from "../../support/agent-server.ts";
import { createFakeClock } from "../../support/clock.ts";
import { failureOf } from "../../support/store.ts";
import { until } from "../../support/until.ts";

/** A search at these ports for a server that answers hellos, on a fake clock with the longest pauses. */
function scene(ports: readonly number[], args: readonly string[] = []) {
  const server = startAgentServer();
  const clock = createFakeClock();
  const printed: string[] = [];
  const log = createLog({ write: () => {}, say: (words) => printed.push(words) });
  const { settings } = readArgs({ args: ["--name", "desk", ...args], env: {} }, COMMANDS.agent);
  const address = readServerAddress(server.host);
  const timing = { clock, random: () => 1 };
  const group = new AgentGroup({ server: address, version: "0.0.0", log, ...timing });
  onTestFinished(() => group.stop(0));
  const start = async () => {
    const search = await discoverUpstreams({
      ...{ settings, env: {}, server: address.url, group, log, ports },
      ...timing,
    });
    onTestFinished(() => search.stop());
  };
  return { server, clock, printed, start };
}

/** A port that nothing listens on. */
function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port = 0 } = server;
  void server.stop(true);
  return port;
}

test("all model servers of this machine are connected, each by an agent with its kind in its name", async () => {
  const [ollama, llama] = [serveRecorded(RECORDED.ollama), serveRecorded(RECORDED.llamaCpp)];
  const { server, printed, start } = scene([ollama.port, llama.port]);
  await start();
  const hellos = [(await server.next()).hello, (await server.next()).hello];
  expect(
    Object.fromEntries(hellos.map(({ name, slots, models }) => [name, [slots, models?.[0]?.id]])),
  ).toEqual({
    "desk/ollama": [8, "llama3.2:latest"],
    "desk/llama.cpp": [4, "gemma.gguf"],
  });
  expect(printed).toContain(`found Ollama at ${ollama.url}: llama3.2:latest`);
  expect(printed).toContain(`found llama.cpp at ${llama.url}: gemma.gguf`);
});

test("a model server that is started later is connected without a restart", async () => {
  const later = freePort();
  const { server, clock, start } = scene([serveRecorded(RECORDED.ollama).port, later]);
  await start();
  expect((await server.next()).hello.name).toBe("desk/ollama");
  serveRecorded(RECORDED.vllm, { port: later });
  const second = server.next();
  let name = "";
  void second.then(({ hello }) => {
    name = hello.name;
  });
  await until(() => {
    clock.advance(1_000);
    return name !== "";
  });
  expect(name).toBe("desk/vllm");
});

test("two servers of one kind have different names, and only the chosen models that they list are offered", async () => {
  const other = {
    routes: {
      ...RECORDED.ollama.routes,
      "/v1/models": { data: [{ id: "qwen3:latest", owned_by: "library" }] },
    },
  };
  const [first, second] = [serveRecorded(RECORDED.ollama), serveRecorded(other)];
  const { server, start } = scene([first.port, second.port], ["--model", "qwen3", "--slots", "2"]);
  await start();
  const hellos = [(await server.next()).hello, (await server.next()).hello];
  expect(
    Object.fromEntries(hellos.map(({ name, models, slots }) => [name, [slots, models?.map(({ id }) => id)]])),
  ).toEqual({ "desk/ollama": [2, []], [`desk/ollama:${second.port}`]: [2, ["qwen3:latest"]] });
});

test("a server of ours that takes the port of a model server which has gone is not used", async () => {
  const ollama = serveRecorded(RECORDED.ollama);
  const { server, clock, printed, start } = scene([ollama.port]);
  await start();
  const agent = await server.next();
  await until(() => printed.some((line) => line.includes("connected to")));
  await ollama.stop();
  const pass = (isSo: () => boolean) =>
    until(() => {
      clock.advance(1_000);
      return isSo();
    });
  await pass(() => agent.frames.some((frame) => frame.type === "update" && frame.models?.length === 0));
  const routes = { ...RECORDED.ollama.routes, "/openapi.json": { info: { title: "chatgpt-api-server" } } };
  const imposter = serveRecorded({ routes }, { port: ollama.port });
  await pass(() => printed.some((line) => line.includes("another program answers at its address")));
  await imposter.stop();
  serveRecorded(RECORDED.ollama, { port: ollama.port });
  await pass(() => agent.frames.some((frame) => frame.type === "update" && frame.models?.length === 1));
  expect(agent.frames.filter(({ type }) => type === "update")).toHaveLength(2);
});

test("without any model server, the fault says what to do", async () => {
  const { start, clock } = scene([freePort()]);
  const failure = await failureOf(start);
  expect(failure).toBeInstanceOf(CommandError);
  expect(String(failure)).toContain("There is no model server on this machine.");
  expect(clock.pending()).toBe(0);
});
