import { describe, expect, test } from "bun:test";
import { checkFrame, HOT_KINDS, readFrames } from "../../../src/protocol/node/check.ts";
import { NodeFrame } from "../../../src/protocol/node/frames.ts";
import { chooseSeed, createRandom, type Random } from "../../support/random.ts";

const RIGHT: Record<(typeof HOT_KINDS)[number], Record<string, unknown>[]> = {
  delta: [
    { slot: "s", data: "text" },
    { slot: "s", data: "", event: "message_start" },
  ],
  ack: [{ slot: "s", bytes: 0 }],
  bytes: [{ slot: "s", data: Uint8Array.of(0, 255) }],
  accept: [{ slot: "s" }],
  alive: [{ slot: "s" }],
  forget: [{ ticket: "t", taken: true }],
  free: [{ free: {} }, { free: { one: 0, other: 12 } }],
  seek: [
    {
      ticket: {
        ...{ id: "t", user: null, priority: "low", waited_ms: 1.5, v1: false, repeatable: true },
        ...{ requests: [], tried: [] },
      },
    },
    {
      ticket: {
        ...{ id: "t", user: "ann", priority: "normal", waited_ms: 0, v1: true, repeatable: false },
        ...{ pin: "p", prefer: "q", tags: [["gpu", "eu"], []], model: "m", models: ["m", "n"] },
        requests: [
          { endpoint: "chat/completions", stream: true },
          { endpoint: "of/a/newer/node", stream: true },
        ],
        tried: [{ agent: "a", repeatable: false }],
      },
    },
  ],
};

const ODD = [
  ...[null, true, false, 0, -1, 1.5, 2 ** 53, "", "x", "line\nbreak", "x".repeat(128), "x".repeat(129)],
  ...[
    "x".repeat(256),
    "x".repeat(257),
    "x".repeat(1025),
    [],
    [[]],
    [[""]],
    {},
    { "": 1 },
    { x: -1 },
    [{}],
    ["x"],
  ],
  ...[[1], [null], [{ endpoint: "responses", stream: false }], [{ agent: "a", repeatable: true, more: 1 }]],
  ...[
    Array.from({ length: 65 }, () => []),
    Array.from({ length: 17 }, () => ({ endpoint: "responses", stream: true })),
  ],
  ...["high", "v1", "chat/completions", JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":{"x":1}}')],
  ...[new Uint8Array(), Uint8Array.of(1)],
  ...[{ ["x".repeat(64)]: 1 }, { ["x".repeat(65)]: 1 }],
];

/** Puts something odd into a place of the frame, at any depth. */
function spoil(value: unknown, random: Random): unknown {
  const isPlain = typeof value === "object" && value !== null && !(value instanceof Uint8Array);
  if (!isPlain || random.next() < 0.05) return random.pick(ODD);
  if (Array.isArray(value)) {
    if (value.length === 0 || random.next() < 0.2) return [...value, random.pick(ODD)];
    const at = random.below(value.length);
    return value.map((item, index) => (index === at ? spoil(item, random) : item));
  }
  const keys = [...Object.keys(value), "more", "event", "constructor"];
  const key = random.pick(keys);
  return { ...value, [key]: spoil((value as Record<string, unknown>)[key], random) };
}

const seed = chooseSeed();

/** Returns a frame of the kind, as a JSON text and the bytes beside it give it; undefined if its kind was spoiled too. */
function randomFrame(frame: { kind: string }, random: Random): unknown {
  let value: unknown = frame;
  for (let times = random.below(3); times > 0; times--) value = spoil(value, random);
  const parsed = JSON.parse(JSON.stringify(value));
  const data = (value as { data?: unknown } | null)?.data;
  if (parsed !== null && data instanceof Uint8Array) parsed.data = data;
  return parsed?.kind === frame.kind ? parsed : undefined;
}

test(`the check by hand and the schema agree on every frame, right or wrong (seed ${seed})`, () => {
  const random = createRandom(seed);
  const outcomes = { right: 0, wrong: 0 };
  const frames = HOT_KINDS.flatMap((kind) => RIGHT[kind].map((fields) => ({ kind, ...fields })));
  for (let at = 0; at < 15_000; at++) {
    const value = randomFrame(random.pick(frames), random);
    if (value === undefined) continue;
    const { success, data } = NodeFrame.safeParse(value);
    const hint = JSON.stringify(value).slice(0, 500);
    expect(checkFrame(value), hint).toEqual(success ? data : "malformed");
    outcomes[success ? "right" : "wrong"] += 1;
  }
  expect(outcomes.right).toBeGreaterThan(2_000);
  expect(outcomes.wrong).toBeGreaterThan(2_000);
});

describe("checkFrame", () => {
  test("tells an unknown kind from a malformed frame", () => {
    expect(checkFrame({ kind: "later", more: 1 })).toBe("unknown");
    expect(checkFrame({ kind: "constructor" })).toBe("unknown");
    for (const value of [null, 1, "x", [], {}, { kind: 1 }, { kind: "give" }])
      expect(checkFrame(value)).toBe("malformed");
  });

  test("leaves out of a ticket the endpoints of a newer node, and keeps the others", () => {
    const requests = [
      { endpoint: "of/a/newer/node", stream: true },
      { endpoint: "chat/completions", stream: false },
    ];
    const ticket = { ...(RIGHT.seek[1]?.["ticket"] as object), requests };
    const frame = { kind: "seek", ticket };
    const known = { kind: "seek", ticket: { ...ticket, requests: requests.slice(1) } };
    expect(checkFrame(frame)).toEqual(known as never);
    expect(NodeFrame.parse(frame)).toEqual(known as never);
  });

  test("bounds the groups of agents in a frame", () => {
    const freeOf = (length: number) => Object.fromEntries(Array.from({ length }, (_, at) => [at, 1]));
    for (const check of [checkFrame, (frame: unknown) => NodeFrame.safeParse(frame).data ?? "malformed"]) {
      expect(check({ kind: "free", free: freeOf(20_001) })).toBe("malformed");
      expect(check({ kind: "free", free: freeOf(20_000) })).not.toBe("malformed");
    }
  });

  test("refuses a status that no answer can have", () => {
    const failOf = (status: number) => ({
      ...{ kind: "fail", slot: "s", retryable: false, repeatable: false },
      error: { code: "agent_failed", upstream: { status } },
    });
    expect(checkFrame(failOf(599))).toMatchObject(failOf(599));
    for (const status of [0, 101, 204, 600, 70_000]) {
      expect(checkFrame(failOf(status))).toBe("malformed");
      const answer = { kind: "model", status };
      expect(checkFrame({ kind: "done", slot: "s", answer })).toBe("malformed");
    }
  });

  test("drops the fields that it does not know", () => {
    expect(checkFrame({ kind: "give", slot: "s", more: 1 })).toEqual({ kind: "give", slot: "s" });
    expect(checkFrame({ kind: "accept", slot: "s", more: 1 })).toEqual({ kind: "accept", slot: "s" });
  });
});

describe("readFrames", () => {
  test("reads a list of frames, or one", () => {
    expect(readFrames('[{"kind":"a"},1]')).toEqual([{ kind: "a" }, 1]);
    expect(readFrames('{"kind":"a"}')).toEqual([{ kind: "a" }]);
    for (const text of ["", "1", '"x"', "[", "{}{}"]) expect(readFrames(text)).toBeUndefined();
  });

  test("refuses a text that would block the server while it is parsed", () => {
    expect(readFrames("[".repeat(1_000_000))).toBeUndefined();
    expect(readFrames(`[${"{},".repeat(2_000_001)}0]`)).toBeUndefined();
  });
});
