import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { createAskedModels, whyNoWork } from "../../../src/http/live/no-work.ts";
import type { AskRecord } from "../../../src/relay/record.ts";
import { createRelayBench } from "../../support/relay.ts";
import { joinAgent } from "../../support/transport.ts";

const MINUTE_MS = 60_000;

/** Why the agent of that name gets no work, in a core in which asks are noted as a server does. */
function scene() {
  const asked = createAskedModels((model) => bench.relay.knowsModel(model));
  const bench = createRelayBench({}, asked.note);
  const why = (id: string) => {
    const agent = [...bench.relay.agents()].find((candidate) => candidate.id === id);
    if (!agent) throw new Error(`${id} is not connected`);
    return whyNoWork(agent, asked, bench.clock.now());
  };
  return { ...bench, asked, why };
}

describe("an agent that gets no work is told why", () => {
  test("where it wants none, or can do none", () => {
    const { relay, why } = scene();
    const [paused, deaf, empty, endless] = ["paused", "deaf", "empty", "endless"].map((id) =>
      joinAgent(relay, id, { protocol: "v2" }),
    );
    paused?.link.pause();
    deaf?.link.writable(false);
    empty?.link.update({ models: [] });
    endless?.link.update({ endpoints: [] });
    expect(why("paused")).toBe("it is paused");
    expect(why("deaf")).toBe("it does not read what it is sent");
    expect(why("empty")).toBe("it offers no model");
    expect(why("endless")).toBe("it offers no endpoint that the server has");
    paused?.link.update({});
    deaf?.link.writable(true);
    expect(why("paused")).toBe(why("deaf"));
  });

  test("where it has all it can take, or is to finish that first; with room and some work it has work", async () => {
    const { relay, ask, why } = scene();
    const agent = joinAgent(relay, "a", { protocol: "v2", slots: 2 });
    const asks = [ask("1", { model: "m" })];
    expect(why("a")).toBeNull();
    asks.push(ask("2", { model: "m" }));
    expect(why("a")).toBe("all its slots are in use");
    relay.disconnect("a", { drain: true });
    expect(why("a")).toBe("it is draining");
    agent.answer();
    agent.answer();
    await Promise.all(asks);
  });

  test("where nobody asked for what it has, and where others were quicker", async () => {
    const { relay, ask, why, clock, pass } = scene();
    const busy = joinAgent(relay, "busy", { protocol: "v2", slots: 2 });
    joinAgent(relay, "idle", { protocol: "v2", models: ["other", "m"] });
    joinAgent(relay, "alone", { protocol: "v2", models: ["other"] });
    expect(why("idle")).toBe("nobody has lately asked for a model that it offers");
    const asked = ask("1", { model: "m" });
    busy.answer();
    await asked;
    expect(why("busy")).toBeNull();
    expect(why("idle")).toBe("other agents took what was asked");
    expect(why("alone")).toBe("nobody has lately asked for a model that it offers");
    joinAgent(relay, "late", { protocol: "v2" });
    clock.advance(1);
    await pass(15 * MINUTE_MS);
    for (const id of ["busy", "idle", "late"])
      expect([id, why(id)]).toEqual([id, "nobody has lately asked for a model that it offers"]);
  });

  test("where it has just failed, or does not answer any more", async () => {
    const { relay, ask, why, clock } = scene();
    const failing = joinAgent(relay, "failing", { protocol: "v2" });
    const asked = ask("1", { model: "m" });
    const error = new AppError("agent_failed", { retryAfterMs: 3_000 });
    const [first] = failing.asks;
    joinAgent(relay, "other", { protocol: "v2" });
    failing.link.fail(first?.slot ?? "", error, true);
    expect(why("failing")).toBe("it failed just now, and others are preferred");
    clock.advance(3_000);
    expect(why("failing")).toBeNull();
    relay.close();
    await asked;
  });
});

test("which models were asked for is remembered of models that agents have, and of no more than there can be", () => {
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
