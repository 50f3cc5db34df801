import { describe, expect, test } from "bun:test";
import { createRelayBench } from "../support/relay.ts";
import { joinAgent } from "../support/transport.ts";

const V2 = { protocol: "v2", slots: 1 } as const;

describe("an ask that names no model but has a list of allowed models", () => {
  test("an ask without a model goes to an agent that has an allowed model, even if another agent is free and first", async () => {
    const { relay, ask } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a", { models: ["x"] }), joinAgent(relay, "b", { models: ["y", "z"] })];
    const asked = ask("q", { models: ["z", "w"] });
    expect([a.asks.length, b.asks.length]).toEqual([0, 1]);
    b.answer();
    expect(await asked).toBe("echo: q");
  });

  test("an ask without a model uses the first of the agent's models that is allowed", async () => {
    const { relay, askWhole } = createRelayBench();
    const agent = joinAgent(relay, "a", { models: ["x", "y", "z"] });
    const asked = askWhole("q", { models: ["z", "y"] });
    agent.answer();
    expect((await asked).model).toBe("y");
  });

  test("an ask that waits for an agent with an allowed model does not go to another free agent", async () => {
    const { relay, ask } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a", { models: ["x"] }), joinAgent(relay, "b", { models: ["y"] })];
    const first = ask("first", { models: ["y"] });
    const second = ask("second", { models: ["y"] });
    expect([a.asks.length, b.asks.length]).toEqual([0, 1]);
    b.answer();
    b.answer();
    expect(await Promise.all([first, second])).toEqual(["echo: first", "echo: second"]);
  });

  test("an ask fails with no_agent when no agent has an allowed model", async () => {
    const { relay, ask } = createRelayBench();
    joinAgent(relay, "a", { models: ["x"] });
    expect(await ask("q", { models: ["y"] })).toBe("no_agent");
    expect(await ask("q", { models: [] })).toBe("no_agent");
  });
});

test("an ask for a model that is not allowed goes to no agent", async () => {
  const { relay, ask } = createRelayBench();
  joinAgent(relay, "a", { ...V2, models: ["x", "y"] });
  expect(await ask("q", { model: "x", models: ["y"] })).toBe("no_agent");
});

test("a follow-up fails with model_not_allowed when its agent's model is no longer allowed", async () => {
  const { relay, ask } = createRelayBench();
  joinAgent(relay, "a", { models: ["x"] });
  expect(await ask("q", { pin: "a", models: ["y"] })).toBe("model_not_allowed");
  expect(await ask("q", { pin: "b", models: ["y"] })).toBe("conversation_agent_gone");
});
