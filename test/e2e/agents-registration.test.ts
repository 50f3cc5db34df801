import { describe, expect, test } from "bun:test";
import { AGENT_SUBPROTOCOL } from "../../src/protocol/agent-v2.ts";
import { shakeHands } from "../support/raw-socket.ts";
import { useScene } from "../support/scene.ts";

const REGISTER = "/client/register";
const V2 = { "Sec-WebSocket-Protocol": AGENT_SUBPROTOCOL };

describe("registration of v2 agents", () => {
  const scene = useScene();
  const keyed = (key: string) => `/agents/${key}${REGISTER}`;
  const attempt = async (headers: Record<string, string>, path = REGISTER) => {
    const {
      status,
      body,
      headers: answered,
      socket,
    } = await shakeHands(`${scene.url}${path}`, { headers, key: null });
    socket?.destroy();
    return { status, error: body && JSON.parse(body).error, chosen: answered.get("sec-websocket-protocol") };
  };

  test("an unknown subprotocol is refused with 400, and of several the known one is chosen", async () => {
    for (const offered of ["chatgpt-agent.v3", "chat", "chatgpt-agent.v2x", "a, b"]) {
      const { status, error } = await attempt({ "Sec-WebSocket-Protocol": offered }, keyed(scene.agentKey));
      expect([offered, status, error]).toEqual([offered, 400, "Unknown WebSocket subprotocol"]);
    }
    for (const offered of [
      AGENT_SUBPROTOCOL,
      `chatgpt-agent.v3, ${AGENT_SUBPROTOCOL}`,
      `${AGENT_SUBPROTOCOL},x`,
    ]) {
      const { status, chosen } = await attempt({ "Sec-WebSocket-Protocol": offered }, keyed(scene.agentKey));
      expect([offered, status, chosen]).toEqual([offered, 101, AGENT_SUBPROTOCOL]);
    }
  });

  test("v2 agents need the agent key like v1 agents, in the path or as Authorization", async () => {
    const proxied = { ...V2, "X-Forwarded-For": "203.0.113.9" };
    const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });
    const { agentKey } = scene;
    expect(await attempt(V2)).toMatchObject({ status: 401, error: "Agent key required" });
    expect(await attempt(proxied)).toMatchObject({ status: 401, error: "Agent key required" });
    expect(await attempt({ ...proxied, ...bearer("wrong") })).toMatchObject({
      status: 401,
      error: "Invalid agent key",
    });
    expect(await attempt(proxied, keyed("wrong"))).toMatchObject({ status: 401, error: "Invalid agent key" });
    expect(await attempt({ ...proxied, ...bearer(agentKey) })).toMatchObject({ status: 101 });
    expect(await attempt(proxied, keyed(agentKey))).toMatchObject({ status: 101 });
  });
});
