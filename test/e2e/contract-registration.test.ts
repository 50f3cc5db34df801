import { describe, expect, test } from "bun:test";
import { firefoxAgent, pythonAgent } from "../support/agents.ts";
import { shakeHands } from "../support/raw-socket.ts";
import { type Scene, useScene } from "../support/scene.ts";

const PROXY = { "X-Forwarded-For": "203.0.113.9" };
/** The headers that proxies add to requests. */
const SOURCES: Record<string, string>[] = [
  PROXY,
  { "X-Real-IP": "203.0.113.9" },
  { Forwarded: "for=203.0.113.9" },
];
const ORIGINS = ["https://chatgpt.com", "https://chat.openai.com", "moz-extension://3f1a"];
const FOREIGN = { Origin: "https://evil.example" };

/** Resolves with the status of an attempt to register, and the body of a refusal. */
async function register(scene: Scene, path: string, headers: Record<string, string> = {}) {
  const { status, body, socket } = await shakeHands(`${scene.url}${path}`, { headers, key: null });
  socket?.destroy();
  return { status, body };
}

async function expectRefusal(attempt: ReturnType<typeof register>, status: number, error: string) {
  const refusal = await attempt;
  const body = JSON.parse(refusal.body);
  expect([refusal.status, body.error]).toEqual([status, error]);
  expect(Object.values(body).join(" ").length).toBeGreaterThan(error.length + 20);
}

describe("by default", () => {
  const scene = useScene();
  const keyed = (key: string) => `/agents/${key}/client/register`;

  test("both existing agents register and serve at the address with the key, and at no other", async () => {
    for (const connect of [firefoxAgent, pythonAgent]) {
      await expect(connect(scene.url, { key: null })).rejects.toThrow();
      const agent = await connect(`${scene.url}/agents/${scene.agentKey}`);
      expect((await scene.ask({ content: "hi" })).body.content).toBe("echo: hi");
      await agent.stop();
    }
  });

  test("an agent needs the key on this machine, from any origin and behind a proxy, in the path or as Authorization", async () => {
    for (const headers of [{}, { Origin: "null" }, ...SOURCES, ...ORIGINS.map((Origin) => ({ Origin }))])
      await expectRefusal(register(scene, "/client/register", headers), 401, "Agent key required");
    await scene.server.output(/agent_refused.*agent_key_required/);
    expect((await register(scene, keyed(scene.agentKey), PROXY)).status).toBe(101);
    const bearer = { ...PROXY, Authorization: `Bearer ${scene.agentKey}` };
    expect((await register(scene, "/client/register", bearer)).status).toBe(101);
  });

  test("an agent of any origin may register with the agent key", async () => {
    expect((await register(scene, keyed(scene.agentKey), FOREIGN)).status).toBe(101);
  });

  test("a wrong agent key is refused from every address, and so is the admin key", async () => {
    for (const key of ["wrong", `${scene.agentKey}x`, scene.agentKey.slice(1), scene.adminKey]) {
      await expectRefusal(register(scene, keyed(key)), 401, "Invalid agent key");
      await expectRefusal(
        register(scene, "/client/register", { ...PROXY, Authorization: `Bearer ${key}` }),
        401,
        "Invalid agent key",
      );
    }
    await scene.server.output(/agent_refused.*agent_key_wrong/);
  });

  test("the agent key is valid for registering only", async () => {
    const { agentKey } = scene;
    expect((await scene.ask({ content: "hi" }, { key: agentKey })).status).toBe(401);
    expect((await scene.request(`/admin/users?admin_key=${agentKey}`)).status).toBe(401);
  });
});

describe("with --agents local", () => {
  const scene = useScene(["--agents", "local"]);

  test("programs on this machine, browser extensions and pages of the ChatGPT site may register without a key", async () => {
    for (const Origin of [undefined, ...ORIGINS]) {
      const { status } = await register(scene, "/client/register", Origin ? { Origin } : {});
      expect([Origin, status]).toEqual([Origin, 101]);
    }
    const agent = await pythonAgent(scene.url, { key: null });
    expect((await scene.ask({ content: "hi" })).body.content).toBe("echo: hi");
    await agent.stop();
    await scene.server.output(/"event":"agent_keyless"/);
  });

  test("a page of another site or in a sandboxed frame may not register as an agent, though it runs on this machine", async () => {
    for (const origin of [
      "null",
      "https://evil.example",
      "http://localhost:3000",
      "https://chatgpt.com.evil.example",
      "https://evilchatgpt.com",
      "http://chatgpt.com",
    ]) {
      const attempt = register(scene, "/client/register", { Origin: origin });
      await expectRefusal(attempt, 403, "Origin not allowed");
    }
    await scene.server.output(/agent_refused.*agent_origin_refused/);
  });

  test("an agent behind a proxy needs the agent key with --agents local too", async () => {
    for (const headers of SOURCES)
      await expectRefusal(register(scene, "/client/register", headers), 401, "Agent key required");
  });

  test("an agent without a key does not take over the id of an agent with one", async () => {
    const holder = await scene.firefox();
    await expect(pythonAgent(scene.url, { id: holder.id, key: null })).rejects.toThrow("4502");
    expect((await scene.ask({ content: "still mine" })).body.content).toBe("echo: still mine");
  });
});

describe("with --agents open", () => {
  const scene = useScene(["--agents", "open"]);

  test("any agent may register with --agents open, as at the reference", async () => {
    expect((await register(scene, "/client/register", { ...PROXY, ...FOREIGN })).status).toBe(101);
  });
});

describe("with an agent key of the operator's", () => {
  const key = `agent-${crypto.randomUUID()}`;
  const scene = useScene(["--agent-key", key]);

  test("an operator's agent key takes the place of the generated one", async () => {
    await expectRefusal(register(scene, "/client/register"), 401, "Agent key required");
    expect((await register(scene, `/agents/${key}/client/register`)).status).toBe(101);
    const bearer = { Authorization: `Bearer ${key}` };
    expect((await register(scene, "/client/register", bearer)).status).toBe(101);
  });
});
