import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { createRelayBench, peek } from "../support/relay.ts";
import { joinAgent } from "../support/transport.ts";

describe("disconnecting an agent", () => {
  test("disconnecting an agent without a drain closes its socket, and the ask that it had not begun goes to another", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a");
    const asked = ask("hello");
    const other = joinAgent(relay, "b");
    expect(relay.disconnect("a", { drain: false })).toBe("closed");
    expect(agent.closed).toEqual(["disconnected"]);
    expect([...relay.agents()].map(({ id }) => id)).toEqual(["b"]);
    other.answer();
    expect(await asked).toBe("echo: hello");
  });

  test("disconnecting an agent with a drain lets it finish its asks, and gives it no more", async () => {
    const { relay, ask } = createRelayBench();
    const agent = joinAgent(relay, "a", { protocol: "v2", slots: 3 });
    const running = [ask("one", { model: "m" }), ask("two", { model: "m" })];
    expect(relay.disconnect("a", { drain: true })).toBe("draining");
    const waiting = ask("three", { model: "m" });
    // An update with more slots would end a pause; it does not end a drain.
    agent.link.update({ slots: 9 });
    expect(agent.asks.map(({ content }) => content)).toEqual(["one", "two"]);
    agent.answer();
    expect(await running[0]).toBe("200");
    expect(agent.closed).toEqual([]);
    agent.answer();
    expect(await running[1]).toBe("200");
    expect(agent.closed).toEqual(["disconnected"]);
    expect(await peek(waiting)).toBe("open");
    joinAgent(relay, "b", { protocol: "v2" }).answer();
    expect(await waiting).toBe("200");
  });

  test.each<[string, (agent: ReturnType<typeof joinAgent>) => void]>([
    ["fails", (agent) => agent.link.fail(agent.asks[0]?.slot ?? "", new AppError("agent_failed"), false)],
    ["is cut off", (agent) => agent.link.gone()],
  ])("disconnecting an agent with a drain ends when its last ask %s", async (_, end) => {
    const { relay, ask, clock } = createRelayBench();
    const agent = joinAgent(relay, "a", { protocol: "v2" });
    const asked = ask("one", { model: "m" }).catch(() => "failed");
    expect(relay.disconnect("a", { drain: true })).toBe("draining");
    agent.link.accept(agent.asks[0]?.slot ?? "");
    end(agent);
    await asked;
    expect([relay.stats().agents, clock.pending()]).toEqual([0, 0]);
  });

  test("disconnecting an agent with a drain waits for an abandoned answer, until its time limit at most", async () => {
    const { relay, ask, clock } = createRelayBench();
    const caller = new AbortController();
    const agent = joinAgent(relay, "a");
    const asked = ask("one", { signal: caller.signal });
    caller.abort();
    expect(await asked).toBe("caller_gone");
    expect(relay.disconnect("a", { drain: true })).toBe("draining");
    clock.advance(119_000);
    expect(agent.closed).toEqual([]);
    clock.advance(2_000);
    expect(agent.closed).toEqual(["disconnected"]);
  });

  test("an idle agent is disconnected at once, a second disconnect ends a drain, and an unknown agent is reported", () => {
    const { relay, ask } = createRelayBench();
    joinAgent(relay, "idle");
    expect(relay.disconnect("idle", { drain: true })).toBe("closed");
    const agent = joinAgent(relay, "busy");
    void ask("one");
    expect(relay.disconnect("busy", { drain: true })).toBe("draining");
    expect(relay.disconnect("busy", { drain: false })).toBe("closed");
    expect(agent.closed).toEqual(["disconnected"]);
    expect(relay.disconnect("busy", { drain: true })).toBeUndefined();
  });
});
