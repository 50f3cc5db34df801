import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { ADMIN } from "../../src/principal.ts";
import { Ask } from "../../src/relay/ask.ts";
import { createFakeClock } from "../support/clock.ts";

const AGENT = { id: "a", name: "an agent", address: "", protocol: "v2" } as const;

const SENT = { request: undefined, model: "m" };

function createAsk(): Ask {
  return new Ask({ principal: ADMIN, work: {}, origin: { requestId: "req", surface: "test" } }, 0);
}

test("a settled ask stays settled: it has one record, and can neither wait nor be sent", async () => {
  const ask = createAsk();
  const outcome = ask.result.catch((error: AppError) => error.code);
  ask.send(AGENT, "slot", SENT, 1);
  expect(ask.place).toEqual({ agentId: "a", slotId: "slot" });
  expect(ask.settle(new AppError("agent_lost"), 2)).toMatchObject({ outcome: "agent_lost", model: "m" });
  expect(ask.settle(new AppError("draining"), 3)).toBeUndefined();
  expect(ask.place).toBeUndefined();
  expect(() => ask.send(AGENT, "slot", SENT, 4)).toThrow("from settled to sent");
  expect(() => ask.wait(createFakeClock(), 1, () => {})).toThrow("from settled to waiting");
  expect(await outcome).toBe("agent_lost");
});

test("an ask that is sent or settled no longer waits: its timers are stopped", () => {
  const result = { answer: MODEL_ANSWER, agent: "a", model: "m", request: undefined };
  for (const end of [
    (ask: Ask) => ask.send(AGENT, "slot", SENT, 1),
    (ask: Ask) => void ask.settle(result, 1),
  ]) {
    const clock = createFakeClock();
    const ask = createAsk();
    ask.wait(clock, 10, () => {
      throw new Error("the ask still waits");
    });
    ask.hold(clock, 5, () => {
      throw new Error("the ask still waits for a better agent");
    });
    expect([ask.isWaiting, clock.pending()]).toEqual([true, 2]);
    end(ask);
    expect([ask.isWaiting, clock.pending()]).toEqual([false, 0]);
    clock.advance(10);
  }
});

const MODEL_ANSWER = { kind: "model", status: 200, body: "", usage: undefined } as const;

const WITHIN_MS = 1_000;

/** Sends the ask to the agents, one after the other, each of which loses or refuses it. */
function fail(ask: Ask, ids: readonly string[], isLost: boolean): void {
  for (const id of ids) {
    ask.send({ ...AGENT, id }, `slot of ${id}`, SENT, 1);
    ask.failTry(new AppError("agent_lost"), isLost ? "anywhere" : "elsewhere");
  }
}

test("an ask may be lost three times, and a follow-up once", () => {
  const ask = createAsk();
  const may = ["a", "b", "c"].map((id) => {
    fail(ask, [id], true);
    return ask.mayBeRetried(1, WITHIN_MS);
  });
  expect(may).toEqual([true, true, false]);
  expect(["a", "b", "c", "d"].map((id) => ask.hasFailedAt(id))).toEqual([true, true, true, false]);
  const followUp = new Ask({ ...createAsk().request, pin: "a" }, 0);
  fail(followUp, ["a"], true);
  expect(followUp.mayBeRetried(1, WITHIN_MS)).toBe(false);
});

test("an ask may be refused by any number of agents, until its time for retries is over", () => {
  const ask = createAsk();
  fail(ask, ["a", "b", "c", "d", "e"], false);
  expect(ask.mayBeRetried(1 + WITHIN_MS, WITHIN_MS)).toBe(true);
  expect(ask.mayBeRetried(2 + WITHIN_MS, WITHIN_MS)).toBe(false);
});

test("an agent that refused an ask never gets it again, and one that was lost may", () => {
  const ask = createAsk();
  fail(ask, ["refused"], false);
  fail(ask, ["lost"], true);
  expect(["refused", "lost", "new"].map((id) => ask.isRepeatableAt(id))).toEqual([false, true, true]);
});
