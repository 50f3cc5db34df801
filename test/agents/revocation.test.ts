import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { KeyedConnections } from "../../src/agents/revocation.ts";
import { type AgentKey, createAgentKeys } from "../../src/auth/agent-keys.ts";
import { createSecret } from "../../src/auth/secret.ts";
import { createLog } from "../../src/log/log.ts";
import { CLOSE } from "../../src/protocol/close.ts";
import { agentKeyOf } from "../support/agent-key.ts";
import { firefoxAgent } from "../support/agents.ts";
import { createFakeClock } from "../support/clock.ts";
import { settle } from "../support/relay.ts";
import { openTestFile } from "../support/store.ts";
import { until } from "../support/until.ts";
import { connectV2Agent } from "../support/v2-agent.ts";
import { UNLIMITED } from "./fake-socket.ts";
import { ANSWER, chat, startWithKey } from "./keyed-server.ts";

const REVOKED = CLOSE.key_revoked;

describe("revoking a key", () => {
  test("revoking a key closes the connections that were opened with it at once, and no others", async () => {
    const { server, key, revoke, connect, agents } = await startWithKey();
    const [first, second] = await Promise.all([connect(), connect()]);
    const v1 = await firefoxAgent(`${server.url}/agents/${key.key}`);
    const main = await connectV2Agent(server.url, { key: server.agentKey });
    const local = await connectV2Agent(server.url);
    await revoke(key.id);
    expect(await Promise.all([first.ended, second.ended, v1.ended])).toEqual([REVOKED, REVOKED, REVOKED]);
    expect((await agents()).map(({ id }) => id)).toEqual([main.ready.agent, local.ready.agent]);
    expect(server.logged()).toContain('"key":"gpu box","reason":"key_revoked"');
  });

  test("revoking a key closes a connection whose agent has not said hello", async () => {
    const { server, key, revoke } = await startWithKey();
    const url = `${server.url.replace(/^http/, "ws")}/agents/${key.key}/client/register`;
    const socket = new WebSocket(url, ["chatgpt-agent.v2"]);
    const ended = new Promise<number>((resolve) => {
      socket.onclose = ({ code }) => resolve(code);
    });
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    await revoke(key.id);
    expect(await ended).toBe(REVOKED.code);
  });

  test("a revoked key is refused in path and header, even on this machine, where no key is needed", async () => {
    const { server, key, revoke } = await startWithKey();
    await revoke(key.id);
    for (const [path, headers] of [
      ["/client/register", { authorization: `Bearer ${key.key}` }],
      [`/agents/${key.key}/client/register`, {}],
    ] as const) {
      const response = await fetch(server.url + path, { headers });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: "Invalid agent key" });
    }
    expect(server.logged()).toContain('"reason":"agent_key_wrong"');
  });

  test("revoking a key moves an ask that has not begun to another agent, and fails one that has", async () => {
    const { server, key, revoke, connect, agents } = await startWithKey();
    const held = await connect();
    const untouched = chat(server, "m");
    await held.next("ask");
    const begun = chat(server, "m");
    held.say({ type: "accept", ask: (await held.next("ask")).ask });
    // The socket is read in order: once a later update shows, the accept has been read.
    held.say({ type: "update", slots: 7 });
    await until(async () => (await agents())[0]?.slots === 7);
    const other = await connectV2Agent(server.url, {
      onAsk: ({ ask }, agent) => agent.say({ type: "done", ask, ...ANSWER }),
    });
    await revoke(key.id);
    expect((await untouched).status).toBe(200);
    expect((await begun).status).toBe(502);
    expect(other.frames.filter(({ type }) => type === "ask")).toHaveLength(1);
  });

  test("a key revoked by another process closes its connections, and stopping leaves no timer", async () => {
    const { server, key, connect } = await startWithKey();
    const agent = await connect();
    const store = openTestFile(join(server.data, "server.db"));
    const keys = createAgentKeys({ main: createSecret("main"), store: store.agentKeys, users: store.users });
    expect(await keys.revoke(key.id)).toBe(true);
    expect(await agent.ended).toEqual(REVOKED);
    await server.stop();
    expect(server.logged()).toMatch(/"event":"stopped".*"timers":0/);
  });
});

describe("looking for keys that another process revoked", () => {
  function watch() {
    const clock = createFakeClock();
    const revoked: string[] = [];
    const fields: Partial<AgentKey> = {};
    const keyOf = (id: string) => agentKeyOf({ id, name: id, ...fields });
    let looks = 0;
    const connections = new KeyedConnections({
      clock,
      log: createLog({ write: () => {} }),
      keys: {
        active: async () => {
          looks++;
          const active = ["a", "b"].filter((id) => !revoked.includes(id));
          return new Map(active.map((id) => [id, keyOf(id)]));
        },
      },
    });
    const ended: string[] = [];
    const changed: AgentKey[] = [];
    const connect = (keyId: string) => {
      const end = (reason: string) => ended.push(`${keyId} ${reason}`);
      const admitted = { key: keyOf(keyId), address: "", lease: UNLIMITED, transport: "websocket" as const };
      const keyChanged = (key: AgentKey) => {
        admitted.key = key;
        changed.push(key);
      };
      const connection = { admitted, end, keyChanged };
      connections.add(keyId, connection);
      return connection;
    };
    const pass = async (ms: number) => {
      clock.advance(ms);
      await settle();
    };
    return { clock, connections, revoked, fields, ended, changed, keyOf, connect, pass, looks: () => looks };
  }

  test("a key that another process changed changes its connections within a second, and only then", async () => {
    const { connect, fields, changed, keyOf, pass } = watch();
    const [first, second] = [connect("a"), connect("a")];
    await pass(1_000);
    changed.length = 0;
    await pass(5_000);
    expect(changed).toEqual([]);
    fields.priority = 7;
    await pass(899);
    expect(changed).toEqual([]);
    await pass(1);
    expect(changed).toEqual([keyOf("a"), keyOf("a")]);
    expect([first.admitted.key, second.admitted.key]).toEqual(changed);
    await pass(5_000);
    expect(changed).toHaveLength(2);
  });

  test("a connection that was opened with a key of before its change gets the changed key", async () => {
    const { connect, connections, fields, keyOf, pass } = watch();
    const open = connect("a");
    await pass(1_000);
    const before = { ...open.admitted.key };
    fields.tags = ["home"];
    connections.change(keyOf("a"));
    expect(open.admitted.key.tags).toEqual(["home"]);
    const late = connect("a");
    late.admitted.key = before;
    await pass(1_000);
    expect(late.admitted.key.tags).toEqual(["home"]);
  });

  test("a key that another process revoked ends its connections within a second", async () => {
    const { connect, revoked, ended, pass } = watch();
    connect("a");
    connect("b");
    revoked.push("a");
    await pass(899);
    expect(ended).toEqual([]);
    await pass(1);
    expect(ended).toEqual(["a key_revoked"]);
    connect("a");
    expect(ended).toEqual(["a key_revoked", "a key_revoked"]);
  });

  test("there is no look-up and no timer while no agent with its own key is connected", async () => {
    const { connect, connections, clock, pass, looks } = watch();
    await pass(5_000);
    const connection = connect("a");
    await pass(1_000);
    connections.remove("a", connection);
    await pass(5_000);
    expect([looks(), clock.pending()]).toEqual([1, 0]);
  });
});
