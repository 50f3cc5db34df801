import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { ADMIN, principalOf } from "../../../src/principal.ts";
import { blockedError, Circuit, type Failure, shownReason } from "../../../src/relay/health/circuit.ts";

const failureAt = (at: number, given: Partial<Failure> = {}): Failure => ({
  error: new AppError("agent_failed"),
  principal: ADMIN,
  sentAt: at,
  at,
  isProbe: false,
  ...given,
});

const retryAfter = (retryAfterMs: number) => ({ error: new AppError("agent_failed", { retryAfterMs }) });

/** Fails a new circuit with the failures, without jitter. Returns it and whether each failure opened it. */
function failed(...failures: Failure[]) {
  const circuit = new Circuit(failures[0] ?? failureAt(0));
  return { circuit, opened: failures.map((failure) => circuit.fail(failure, 3, 0)) };
}

describe("health of an agent", () => {
  test("a circuit opens with the third failure in a row, and is avoided before", () => {
    const { circuit, opened } = failed(failureAt(0), failureAt(2_000));
    expect(opened).toEqual([false, false]);
    expect([circuit.isAvoidedAt(6_499), circuit.isBlockedAt(6_499)]).toEqual([true, false]);
    expect([circuit.isAvoidedAt(6_500), circuit.stateAt(6_500)]).toEqual([false, "closed"]);
    expect(circuit.fail(failureAt(7_000), 3, 0)).toBe(true);
    expect([circuit.stateAt(7_000), circuit.isBlockedAt(15_999), circuit.isBlockedAt(16_000)]).toEqual([
      "open",
      true,
      false,
    ]);
    expect([circuit.stateAt(16_000), circuit.failures, circuit.retryAt]).toEqual(["half_open", 3, 16_000]);
  });

  test("a circuit waits longer after each probe that fails, up to a bound, with some jitter", () => {
    const { circuit } = failed(failureAt(0, retryAfter(1)));
    const waits: number[] = [circuit.waitMs(0)];
    for (const random of [0, 0, 1]) {
      const at = circuit.retryAt;
      expect(circuit.fail(failureAt(at, { isProbe: true }), 3, random)).toBe(true);
      waits.push(circuit.waitMs(at));
    }
    expect(waits).toEqual([1_500, 4_500, 9_000, 9_720]);
  });

  test("failures of asks that were under way together are one step of the back-off", () => {
    const { circuit } = failed(failureAt(10, { sentAt: 0 }), failureAt(12, { sentAt: 1 }));
    expect([circuit.failures, circuit.waitMs(12)]).toEqual([2, 1_500]);
  });

  test("a circuit does not open when a few asks in a row fail within a second", () => {
    const { circuit, opened } = failed(...[0, 300, 600, 900].map((at) => failureAt(at)));
    expect(opened).toEqual([false, false, false, false]);
    expect(circuit.fail(failureAt(1_000), 3, 0)).toBe(true);
  });

  test("a circuit opens with the first failure that has a Retry-After, for that long at least", () => {
    const { circuit, opened } = failed(failureAt(0, retryAfter(20_000)));
    expect([opened, circuit.waitMs(0)]).toEqual([[true], 20_000]);
    expect(failed(failureAt(0, retryAfter(1))).circuit.waitMs(0)).toBe(1_500);
  });

  test("a circuit that is open ignores the failures of asks that were sent before", () => {
    const { circuit } = failed(failureAt(0, retryAfter(1)));
    expect(circuit.fail(failureAt(2_000, { sentAt: 0 }), 3, 0)).toBe(false);
    expect([circuit.failures, circuit.retryAt]).toEqual([1, 1_500]);
  });

  test("a circuit that never opens is avoided for the Retry-After", () => {
    const circuit = new Circuit(failureAt(0));
    for (let count = 0; count < 9; count++)
      expect(circuit.fail(failureAt(0, retryAfter(20_000)), 0, 0)).toBe(false);
    expect([circuit.isBlockedAt(1), circuit.isAvoidedAt(19_999), circuit.isAvoidedAt(20_000)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  test("a circuit lets one probe through at a time", () => {
    const { circuit } = failed(failureAt(0, retryAfter(1)));
    circuit.probe = {};
    expect([circuit.stateAt(3_000), circuit.isBlockedAt(3_000), circuit.waitMs(3_000)]).toEqual([
      "half_open",
      true,
      1_000,
    ]);
  });
});

describe("the reason of a failure", () => {
  const upstream = { status: 429, code: "rate_limited", body: '{"error":"your prompt was …"}' };

  test.each([
    [{ upstream }, "the upstream responded with status 429 (rate_limited)"],
    [{ upstream: { ...upstream, code: "no name at all" } }, "the upstream responded with status 429"],
    [{ upstream: { body: "x" }, extra: { err: "your prompt" } }, "the upstream reported an error"],
    [{ extra: { err: "it answered no ping" } }, "it answered no ping"],
    [{}, "the agent could not answer"],
  ])("a reason has no text of the upstream: %j", (options, reason) => {
    expect(shownReason(new AppError("agent_failed", options))).toBe(reason);
  });

  test("only the user whose ask failed gets the upstream's own words, and the wait is always the present one", () => {
    const headers = { "retry-after": "30", "retry-after-ms": "30000", "x-should-retry": "true" };
    const error = new AppError("agent_failed", {
      extra: { err: "your prompt" },
      upstream: { ...upstream, headers },
      retryAfterMs: 30_000,
    });
    const failure = failureAt(0, { error, principal: principalOf("u1") });
    const own = blockedError(failure, principalOf("u1"), 1_500);
    expect([own.code, own.retryAfterMs, own.extra]).toEqual(["agent_failed", 1_500, { err: "your prompt" }]);
    expect(own.upstream).toEqual({ ...upstream, headers: { "x-should-retry": "true" } });
    expect(own.hint).toBe("The agents of this model failed and are asked again in 2 s.");
    for (const asker of [principalOf("u2"), ADMIN]) {
      const other = blockedError(failure, asker, 1_500);
      expect([other.code, other.retryAfterMs]).toEqual(["agent_failed", 1_500]);
      expect(other.upstream).toEqual({ status: 429, headers: {} });
      expect(other.extra).toEqual({ err: "the upstream responded with status 429 (rate_limited)" });
    }
    const nobodys = blockedError({ ...failure, principal: undefined }, ADMIN, 1);
    expect(nobodys.upstream).toEqual({ status: 429, headers: {} });
  });
});
