import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { startAgentProcess } from "../support/agent-process.ts";
import { runExecutable } from "../support/executable.ts";
import { useScene } from "../support/scene.ts";
import { tempFolder } from "../support/store.ts";

const scene = useScene();

/** Makes a code on the server's machine, as an operator does. */
async function makeCode(...args: string[]): Promise<string> {
  const given = ["--data", scene.server.data, "--port", String(scene.server.port), "--json"];
  const { code, stdout } = await runExecutable(["agents", "pair", ...args, ...given]);
  expect(code).toBe(0);
  const made = JSON.parse(stdout).code as string;
  scene.server.keepSecret(made);
  return made;
}

const start = (data: string, ...args: string[]) =>
  startAgentProcess([scene.url, "--echo", "--data", data, ...args], { connects: false });

test("an agent pairs with a code, finds its key when it starts again, and says so if that was revoked", async () => {
  const data = tempFolder();
  const code = await makeCode("gpu box", "--tag", "home");
  const first = await start(data, "--pair", code);
  const [, file = ""] = await first.output(/as gpu box; the key is kept in (\S+)/);
  if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
  await first.output(/connected to/);
  expect((await scene.ask({ content: "hi" })).status).toBe(200);
  await first.stop();

  const again = await start(data, "--pair", code);
  await again.output(/connected to/);
  await again.stop();
  const without = await start(data);
  await without.output(/connected to/);
  const { body } = await scene.request<{ agents: unknown[] }>("/admin/agents", {
    headers: { authorization: scene.adminKey },
  });
  expect(body.agents).toMatchObject([{ key: "gpu box", tags: ["home"] }]);

  const revoked = await runExecutable(["agents", "revoke", "gpu box", "--data", scene.server.data]);
  expect(revoked.code).toBe(0);
  expect((await without.exited).code).toBe(1);
  expect(without.stderr()).toContain("start the agent with --pair and a new code");
  const refused = await start(data);
  expect((await refused.exited).code).toBe(1);
  expect(refused.stderr()).toContain("This key was revoked.");
});

test("if two agents have one code, one of them pairs, and the other says what to do", async () => {
  const code = await makeCode();
  const agents = await Promise.all([tempFolder(), tempFolder()].map((data) => start(data, "--pair", code)));
  const ends = agents.map((agent) =>
    Promise.race([
      agent.output(/connected to/).then(() => "connected"),
      agent.exited.then(({ code }) => code),
    ]),
  );
  expect(new Set(await Promise.all(ends))).toEqual(new Set(["connected", 1]));
  const texts = agents.map(({ stderr }) => stderr()).join("");
  expect(texts).toContain("the pairing code was refused (401): Invalid pairing code. A code works once");
});
