import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { ADMIN, userPrincipal } from "../../../src/principal.ts";
import { failureText } from "../../../src/relay/asks/failure-text.ts";
import type { TrafficQuery } from "../../../src/store/records.ts";
import type {
  RequestQuery,
  StoredRequest,
  TrafficStep,
  UsageRow,
  UsageStore,
} from "../../../src/store/store.ts";
import { createFakeClock } from "../../support/clock.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { usageRow } from "../../support/usage-row.ts";
import { type BackEnd, openNew } from "./back-end.ts";

const EVER = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1_000 };

/** Returns the ids of all requests, page by page. */
async function idsOf(usage: UsageStore, query: Partial<RequestQuery> = {}): Promise<string[]> {
  const ids: string[] = [];
  let page = await usage.list({ ...EVER, ...query });
  for (;;) {
    ids.push(...page.requests.map(({ requestId }) => requestId));
    if (page.next === null) return ids;
    page = await usage.list({ ...EVER, ...query, after: page.next });
  }
}

const firstOf = async (usage: UsageStore): Promise<StoredRequest | undefined> =>
  (await usage.list({ ...EVER, limit: 1 })).requests[0];

/** Defines the tests of the list of requests, and of the traffic. */
export function testRequests(backEnd: BackEnd): void {
  /** A store whose clock stands still, so that nothing is written by itself. */
  const openStore = () => {
    const { now, after } = createFakeClock();
    return openNew(backEnd, { now, after });
  };

  describe("the list of requests", () => {
    test("a request is listed with everything that is known of it, at once", async () => {
      const { usage } = await openStore();
      const error = new AppError("agent_failed", { extra: { err: "out of\u001b memory" } });
      const text = failureText(error);
      const tried = { agent: "a1", agentName: "gpu\u0000box", sentAfterMs: 1.6 };
      const failures = [{ ...tried, code: "agent_failed" as const, error: text }];
      const known = { agentName: "gpu box", error: text, failures, isAffine: false };
      usage.record(
        usageRow({ ...known, outcome: "agent_failed", upstreamStatus: 500, tokensEstimated: true }),
      );
      const listed = await firstOf(usage);
      expect(listed).toMatchObject({
        ...{ at: 1_000, requestId: "req_1", userId: "ann", agent: "x", agentName: "gpu box", model: "llama" },
        ...{ surface: "chat", outcome: "agent_failed", upstreamStatus: 500, tries: 1, isAffine: false },
        ...{ queueMs: 2, firstByteMs: 30, durationMs: 400, inputTokens: 10, outputTokens: 20 },
        ...{ cachedTokens: null, cacheCreationTokens: null, reasoningTokens: null, tokensEstimated: true },
        error: "The agent could not answer: out of\\u001b memory",
      });
      const noMedia = { audioMs: null, images: null, searchUnits: null, inputBytes: null, outputBytes: null };
      expect(listed).toMatchObject(noMedia);
      expect(listed?.failures).toMatchObject([{ agent: "a1", sentAfterMs: 2, code: "agent_failed" }]);
    });

    test("a request for audio or images is listed with what was counted of it", async () => {
      const { usage } = await openStore();
      const media = { audioMs: 8_470, images: 1, searchUnits: 2, inputBytes: 3_000_000_000, outputBytes: 4 };
      usage.record(usageRow({ media }));
      expect(await firstOf(usage)).toMatchObject(media);
    });

    test("what is not known of a request is null, and its failed tries are none", async () => {
      const { usage } = await openStore();
      usage.record(usageRow({ principal: ADMIN, agent: undefined, firstByteMs: undefined }));
      expect(await firstOf(usage)).toMatchObject({
        ...{ userId: null, agent: null, agentName: null, firstByteMs: null, error: null, isAffine: null },
        ...{ failures: [], tokensEstimated: false },
      });
    });

    test("pages of any length list every matching request once, newest first", async () => {
      const { usage } = await openStore();
      const seed = chooseSeed();
      const random = createRandom(seed);
      const rows = Array.from({ length: 300 }, (_, index): UsageRow => {
        const outcome = random.pick(["ok", "ok", "agent_failed", "no_agent"] as const);
        const principal = random.pick([ADMIN, userPrincipal("ann"), userPrincipal("admin")]);
        const names = { model: random.pick(["m", "n"]), agent: random.pick(["a", "b", "c"]) };
        // Many arrive in the same millisecond.
        return usageRow({ at: random.below(60), requestId: `req_${index}`, outcome, principal, ...names });
      });
      for (const row of rows) usage.record(row);
      const queries: [Partial<RequestQuery>, (row: UsageRow) => boolean][] = [
        [{}, () => true],
        [{ outcome: "failed" }, ({ outcome }) => outcome !== "ok"],
        [{ outcome: "ok" }, ({ outcome }) => outcome === "ok"],
        [
          { outcome: "no_agent", model: "n" },
          ({ outcome, model }) => outcome === "no_agent" && model === "n",
        ],
        [{ agent: "b" }, ({ agent }) => agent === "b"],
        [{ principal: ADMIN }, ({ principal }) => principal.kind === "admin"],
        [
          { principal: userPrincipal("admin") },
          ({ principal }) => "id" in principal && principal.id === "admin",
        ],
        [{ from: 20, to: 40 }, ({ at }) => at >= 20 && at < 40],
        [{ requestId: "req_7" }, ({ requestId }) => requestId === "req_7"],
        [{ surface: "nowhere" }, () => false],
      ];
      for (const [query, matches] of queries) {
        const ids = await idsOf(usage, { ...query, limit: 1 + random.below(40) });
        const expected = rows.filter(matches);
        expect(ids.toSorted(), `${JSON.stringify(query)}, seed ${seed}`).toEqual(
          expected.map(({ requestId }) => requestId).toSorted(),
        );
        const times = ids.map((id) => rows[Number(id.slice(4))]?.at ?? -1);
        expect(times, `${JSON.stringify(query)}, seed ${seed}`).toEqual(times.toSorted((a, b) => b - a));
      }
    });

    test("a search for what is rare ends with a place to go on, and finds it in the end", async () => {
      const { usage } = await openStore();
      usage.record(usageRow({ at: 1, requestId: "rare", outcome: "no_agent", model: "rare" }));
      for (let index = 2; index < 12_000; index++) {
        usage.record(usageRow({ at: index, outcome: "agent_failed" }));
        // No more than 10,000 rows wait to be written.
        if (index % 5_000 === 0) await usage.purge(0);
      }
      const rare = { ...EVER, outcome: "failed", model: "rare" };
      const { requests, next } = await usage.list(rare);
      expect(requests).toEqual([]);
      expect(next).not.toBeNull();
      const rest = await usage.list({ ...rare, ...(next && { after: next }) });
      expect(rest).toMatchObject({ requests: [{ requestId: "rare" }], next: null });
    });

    test("a search through thousands of requests misses none of those that match", async () => {
      const { usage } = await openStore();
      const isRare = (at: number) => at % 7 === 0 || at > 6_990;
      for (let at = 1; at <= 7_000; at++) usage.record(usageRow({ at, model: isRare(at) ? "rare" : "m" }));
      const { requests, next } = await usage.list({ ...EVER, model: "m", limit: 7_000 });
      expect(next).toBeNull();
      const expected = Array.from({ length: 7_000 }, (_, index) => 7_000 - index).filter((at) => !isRare(at));
      expect(requests.map(({ at }) => at)).toEqual(expected);
    });

    test("an id that has its time is found near it, and also if the request was kept as of another time", async () => {
      const { usage } = await openStore();
      const at = 1_700_000_000_000;
      const idAt = (ms: number) => `req_${Bun.randomUUIDv7("hex", ms)}`;
      const [soon, late, early, other] = [idAt(at), idAt(at), idAt(at), "from an earlier version"];
      usage.record(usageRow({ at: at + 30_000, requestId: soon }));
      usage.record(usageRow({ at: at + 90 * 86_400_000, requestId: late }));
      usage.record(usageRow({ at: at - 86_400_000, requestId: early }));
      usage.record(usageRow({ at: 5, requestId: other }));
      for (let index = 0; index < 6_000; index++) usage.record(usageRow({ at: at + index }));
      for (const requestId of [soon, late, early, other]) {
        const found = await usage.list({ ...EVER, requestId });
        expect(found).toMatchObject({ requests: [{ requestId }], next: null });
        expect(await usage.list({ ...EVER, requestId, model: "n" })).toEqual({ requests: [], next: null });
      }
      const before = { ...EVER, to: at + 30_000 };
      expect(await usage.list({ ...before, requestId: soon })).toEqual({ requests: [], next: null });
      expect(await usage.list({ ...EVER, requestId: idAt(at) })).toEqual({ requests: [], next: null });
    });

    test("the requests of one id are listed page by page", async () => {
      const { usage } = await openStore();
      for (let at = 1; at <= 5; at++) usage.record(usageRow({ at, requestId: "again" }));
      const first = await usage.list({ ...EVER, requestId: "again", limit: 3 });
      expect(first.requests.map(({ at }) => at)).toEqual([5, 4, 3]);
      const rest = await usage.list({
        ...EVER,
        requestId: "again",
        limit: 3,
        after: first.next ?? undefined,
      });
      expect(rest.requests.map(({ at }) => at)).toEqual([2, 1]);
    });

    test("a place that no page ended with is harmless", async () => {
      const { usage } = await openStore();
      usage.record(usageRow());
      const after = { at: 2_000, key: "no key of any store" };
      expect(await usage.list({ ...EVER, after })).toMatchObject({ requests: [{ requestId: "req_1" }] });
    });
  });

  test("filters with characters that no database keeps find nothing, and do not fail", async () => {
    const { usage, traffic } = await openStore();
    usage.record(usageRow());
    for (const name of ["\u0000", "a\u0000b", "\ud800"]) {
      const principal = userPrincipal(name);
      for (const filter of [{ principal }, { agent: name }, { model: name }, { requestId: name }])
        expect((await usage.list({ ...EVER, ...filter })).requests).toEqual([]);
      expect(await usage.sum({ ...EVER, by: [], principal, limit: 9 })).toEqual([]);
      const period = { stepMs: 60_000, from: 0, to: 300_000, kind: "agent" } as const;
      expect(await traffic.read({ ...period, name })).toEqual([]);
    }
  });

  describe("the steps of the traffic", () => {
    const step: TrafficStep = {
      ...{ stepMs: 60_000, at: 120_000, kind: "agent", name: "a" },
      ...{ run: "r1", expiresAt: 500_000, data: "{}" },
    };
    const query: TrafficQuery = { stepMs: 60_000, from: 0, to: 300_000, kind: "agent" };

    test("a step is replaced by the same step of the same process, and added to those of others", async () => {
      const { traffic } = await openStore();
      traffic.record({ ...step, data: "1" });
      expect(await traffic.read(query)).toEqual([{ at: 120_000, name: "a", data: "1" }]);
      traffic.record({ ...step, data: "2" });
      traffic.record({ ...step, run: "r2", data: "3" });
      traffic.record({ ...step, stepMs: 3_600_000, data: "4" });
      traffic.record({ ...step, kind: "model", data: "5" });
      traffic.record({ ...step, at: 300_000, data: "6" });
      const found = await traffic.read(query);
      expect(found.map(({ data }) => data).sort()).toEqual(["2", "3"]);
      expect(await traffic.read({ ...query, name: "b" })).toEqual([]);
    });

    test("a step is deleted when it has expired", async () => {
      const { traffic } = await openStore();
      traffic.record(step);
      traffic.record({ ...step, name: "b", expiresAt: 500_001 });
      await traffic.read(query);
      expect(await traffic.purge(500_001)).toBe(1);
      expect(await traffic.read(query)).toMatchObject([{ name: "b" }]);
    });
  });
}
