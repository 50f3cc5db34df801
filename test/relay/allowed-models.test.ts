import { describe, expect, test } from "bun:test";
import { createRelayBench } from "../support/relay.ts";
import { joinAgent } from "../support/transport.ts";

const V2 = { protocol: "v2", slots: 1 } as const;

describe("of an ask that names no model, but which ones may be used,", () => {
  test("the agent is one that has one of them, though another is free and first", async () => {
    const { relay, ask } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a", { models: ["x"] }), joinAgent(relay, "b", { models: ["y", "z"] })];
    const asked = ask("q", { models: ["z", "w"] });
    expect([a.asks.length, b.asks.length]).toEqual([0, 1]);
    b.answer();
    expect(await asked).toBe("echo: q");
  });

  test("the model is the first of the agent's that may be used", async () => {
    const { relay, askWhole } = createRelayBench();
    const agent = joinAgent(relay, "a", { models: ["x", "y", "z"] });
    const asked = askWhole("q", { models: ["z", "y"] });
    agent.answer();
    expect((await asked).model).toBe("y");
  });

  test("one that waits for its agent is not given to another that is free", async () => {
    const { relay, ask } = createRelayBench();
    const [a, b] = [joinAgent(relay, "a", { models: ["x"] }), joinAgent(relay, "b", { models: ["y"] })];
    const first = ask("first", { models: ["y"] });
    const second = ask("second", { models: ["y"] });
    expect([a.asks.length, b.asks.length]).toEqual([0, 1]);
    b.answer();
    b.answer();
    expect(await Promise.all([first, second])).toEqual(["echo: first", "echo: second"]);
  });

  test("there is no agent when none has any of them", async () => {
    const { relay, ask } = createRelayBench();
    joinAgent(relay, "a", { models: ["x"] });
    expect(await ask("q", { models: ["y"] })).toBe("no_agent");
    expect(await ask("q", { models: [] })).toBe("no_agent");
  });
});

test("an ask for a model that may not be used goes to nobody", async () => {
  const { relay, ask } = createRelayBench();
  joinAgent(relay, "a", { ...V2, models: ["x", "y"] });
  expect(await ask("q", { model: "x", models: ["y"] })).toBe("no_agent");
});

test("a follow-up at an agent whose model may no longer be used is refused for that reason", async () => {
  const { relay, ask } = createRelayBench();
  joinAgent(relay, "a", { models: ["x"] });
  expect(await ask("q", { pin: "a", models: ["y"] })).toBe("model_not_allowed");
  expect(await ask("q", { pin: "b", models: ["y"] })).toBe("conversation_agent_gone");
});
