import { describe, expect, test } from "bun:test";
import { MINUTE_MS } from "../../../src/durations.ts";
import { AppError } from "../../../src/errors.ts";
import { createAskedModels, idleReason } from "../../../src/http/live/idle-reason.ts";
import type { AskRecord } from "../../../src/relay/record.ts";
import { createRelayBench } from "../../support/relay.ts";
import { joinAgent } from "../../support/transport.ts";

/** A core that notes its asks as a server does. `why` returns the reason for the agent of that name. */
function scene() {
  const asked = createAskedModels((model) => bench.relay.knowsModel(model));
  const bench = createRelayBench({}, asked.note);
  const why = (id: string) => {
    const agent = [...bench.relay.agents()].find((candidate) => candidate.id === id);
    if (!agent) throw new Error(`${id} is not connected`);
    return idleReason(agent, asked, bench.clock.now());
  };
  return { ...bench, asked, why };
}

describe("the reason why an agent gets no requests", () => {
  test("an agent that accepts no requests, or cannot answer any, has the reason for that", () => {
    const { relay, why } = scene();
    const [paused, deaf, empty, endless] = ["paused", "deaf", "empty", "endless"].map((id) =>
      joinAgent(relay, id, { protocol: "v2" }),
    );
    paused?.link.pause();
    deaf?.link.writable(false);
    empty?.link.update({ models: [] });
    endless?.link.update({ endpoints: [] });
    expect(why("paused")).toBe("The agent is paused.");
    expect(why("deaf")).toBe("The agent does not read what the server sends.");
    expect(why("empty")).toBe("The agent offers no models.");
    expect(why("endless")).toBe("The agent offers no endpoint that this server supports.");
    paused?.link.update({});
    deaf?.link.writable(true);
    expect(why("paused")).toBe(why("deaf"));
  });

  test("an agent is idle neither with all slots in use nor while it drains, and has no reason with some in use", async () => {
    const { relay, ask, why } = scene();
    const agent = joinAgent(relay, "a", { protocol: "v2", slots: 2 });
    const asks = [ask("1", { model: "m" })];
    expect(why("a")).toBeNull();
    asks.push(ask("2", { model: "m" }));
    expect(why("a")).toBe("All its slots are in use.");
    relay.disconnect("a", { drain: true });
    expect(why("a")).toBe("The agent is draining.");
    agent.answer();
    agent.answer();
    await Promise.all(asks);
  });

  test("the reason of a free agent says whether its models were not requested, or other agents took the requests", async () => {
    const { relay, ask, why, clock, pass } = scene();
    const busy = joinAgent(relay, "busy", { protocol: "v2", slots: 2 });
    joinAgent(relay, "idle", { protocol: "v2", models: ["other", "m"] });
    joinAgent(relay, "alone", { protocol: "v2", models: ["other"] });
    expect(why("idle")).toBe("There were no recent requests for its models.");
    const asked = ask("1", { model: "m" });
    busy.answer();
    await asked;
    expect(why("busy")).toBeNull();
    expect(why("idle")).toBe("Other agents took the requests for its models.");
    expect(why("alone")).toBe("There were no recent requests for its models.");
    joinAgent(relay, "late", { protocol: "v2" });
    clock.advance(1);
    await pass(15 * MINUTE_MS);
    for (const id of ["busy", "idle", "late"])
      expect([id, why(id)]).toEqual([id, "There were no recent requests for its models."]);
  });

  test("the reason of an agent that has just failed says that other agents are preferred", async () => {
    const { relay, ask, why, clock } = scene();
    const failing = joinAgent(relay, "failing", { protocol: "v2" });
    const asked = ask("1", { model: "m" });
    const error = new AppError("agent_failed", { upstream: { status: 500 } });
    const [first] = failing.asks;
    joinAgent(relay, "other", { protocol: "v2" });
    failing.link.fail(first?.slot ?? "", error, true);
    expect(why("failing")).toBe(
      "The agent has just failed, so other agents are preferred: the upstream responded with status 500.",
    );
    clock.advance(1_700);
    expect(why("failing")).toBeNull();
    relay.close();
    await asked;
  });

  test("the reason of an agent whose requests all fail says why they do, and when it gets one again", async () => {
    const { relay, ask, why, pass } = scene();
    const failing = joinAgent(relay, "failing", { protocol: "v2", slots: 2 });
    const asked = ask("1", { model: "m" });
    const error = new AppError("agent_failed", { upstream: { status: 429 }, retryAfterMs: 20_000 });
    failing.link.fail(failing.asks.shift()?.slot ?? "", error, true);
    const because = "because it failed: the upstream responded with status 429.";
    await pass(5_000);
    expect(why("failing")).toBe(`The agent gets no requests for 15 s, ${because}`);
    await pass(15_000);
    const probe = ask("2", { model: "m" });
    expect(why("failing")).toBe(`The agent gets one request at a time, ${because}`);
    failing.answer();
    expect(why("failing")).toBeNull();
    await Promise.all([asked, probe]);
  });
});

test("only models that agents offer are remembered as asked for, and only so many of them", () => {
  const { asked, relay } = scene();
  joinAgent(relay, "a", { protocol: "v2", models: Array.from({ length: 1_001 }, (_, n) => `m${n}`) });
  const note = (model: string | undefined, at: number) => asked.note({ model, at } as AskRecord);
  for (let n = 0; n < 1_001; n++) note(`m${n}`, n);
  note("made up", 1);
  note(undefined, 1);
  expect([asked.lastAt("m0"), asked.lastAt("m1"), asked.lastAt("m1000"), asked.lastAt("made up")]).toEqual([
    undefined,
    1,
    1_000,
    undefined,
  ]);
});
