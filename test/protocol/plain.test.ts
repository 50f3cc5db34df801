import { expect, test } from "bun:test";
import { V1Answer } from "../../src/protocol/agent-v1.ts";
import { AgentFrame, Usage } from "../../src/protocol/agent-v2.ts";
import { plainFrame, plainUpstreamUsage, plainV1Answer } from "../../src/protocol/plain.ts";
import { UsageReader } from "../../src/protocol/token-usage.ts";
import { chooseSeed, createRandom, type Random } from "../support/random.ts";

const VALUES = 50_000;
const TEXTS = [
  "",
  "a",
  "0193b7c2-1111-7111-8111-111111111111",
  "x".repeat(64),
  "x".repeat(65),
  "e".repeat(257),
];
const ODD = [
  ...[undefined, null, true, {}, [], "\ud800", "a\nb", "a\r", "a\u2028b", "ä", "{}", "1"],
  ...[
    0,
    -0,
    1,
    -1,
    1.5,
    99,
    100,
    599,
    600,
    1e8,
    1e8 + 1,
    2 ** 53,
    1e300,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ],
];
const COUNTS = [0, 1, 2, 12, 1000, 100_000_000];

const seed = chooseSeed();

const odd = (random: Random) => ODD[random.below(ODD.length)];

/** Returns an object of these fields, of which a few have another value, or are missing, or are not expected. */
function changed(random: Random, fields: Record<string, unknown>): unknown {
  if (random.below(40) === 0) return random.below(5) === 0 ? [fields] : odd(random);
  const names = [...Object.keys(fields), "type", "usage", "ask", "headers", "event", "__proto__"];
  const entries = new Map(Object.entries(fields));
  for (let left = random.below(3); left > 0; left--) {
    const name = random.pick(names);
    if (random.below(3) === 0) entries.delete(name);
    else entries.set(name, random.below(3) === 0 ? random.pick(TEXTS) : odd(random));
  }
  return Object.fromEntries(entries);
}

function usage(random: Random): unknown {
  const [input, output] = [random.pick(COUNTS), random.pick(COUNTS)];
  const details = random.pick([{}, { cached_tokens: random.pick(COUNTS) }, { reasoning_tokens: 1 }, null, 7]);
  return changed(random, {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    ...(random.below(3) === 0 && { prompt_tokens_details: details }),
    ...(random.below(3) === 0 && { completion_tokens_details: details }),
    ...(random.below(6) === 0 && { [random.pick(["input_tokens", "reasoning_tokens", "cached_tokens"])]: 3 }),
    ...(random.below(6) === 0 && { cache_read_input_tokens: random.pick([null, 0, 5]) }),
  });
}

function frame(random: Random): unknown {
  const type = random.pick([
    "accept",
    "alive",
    "delta",
    "done",
    "pong",
    "fail",
    "pause",
    "announce",
    "hello",
  ]);
  return changed(random, {
    type,
    ask: random.pick(TEXTS),
    ...(type === "delta" && { data: random.pick(TEXTS) }),
    ...(random.below(4) === 0 && { event: random.pick([...TEXTS, "a\nb"]) }),
    ...(type === "done" && { status: random.pick([200, 429, 99, 600]), usage: usage(random) }),
    ...(random.below(2) === 0 && { body: random.pick(TEXTS) }),
  });
}

const answer = (random: Random) =>
  changed(random, {
    ...{ id: random.pick(TEXTS), response_id: random.pick(TEXTS), conversation_id: random.pick(TEXTS) },
    ...{ content: random.pick(["Hello!", "ä😀", "\ud800"]), error: random.pick(TEXTS) },
  });

function slowUsage(value: unknown): unknown {
  const reader = new UsageReader();
  reader.note({ usage: value });
  return reader.usage;
}

const CASES: [
  what: string,
  make: (random: Random) => unknown,
  plain: typeof plainFrame,
  whole: typeof plainFrame,
][] = [
  ["a frame", frame, plainFrame, (value) => AgentFrame.safeParse(value).data],
  ["a usage", usage, plainUpstreamUsage as never, slowUsage as never],
  [
    "an answer of v1",
    answer,
    plainV1Answer as never,
    ((value: unknown) => V1Answer.safeParse(value).data) as never,
  ],
];

test.each(CASES)(
  `%s that the short check accepts is what its schema reads (SEED=${seed})`,
  (_, make, plain, whole) => {
    const random = createRandom(seed);
    let accepted = 0;
    for (let i = 0; i < VALUES; i++) {
      // As it comes from a connection, or as an object of the agent in this process.
      const value = random.below(2) === 0 ? JSON.parse(JSON.stringify(make(random)) ?? "null") : make(random);
      const found = plain(value);
      if (found === undefined) continue;
      accepted++;
      expect(found).toEqual(whole(value) as never);
    }
    expect(accepted).toBeGreaterThan(VALUES / 10);
  },
);

// Otherwise the short check would drop a field that the schema has since.
test("the short checks know every field of what they read", () => {
  const fields = Object.fromEntries(
    AgentFrame.options.map(({ shape }) => [shape.type.value, Object.keys(shape)]),
  );
  expect(fields).toMatchObject({
    pong: ["type"],
    accept: ["type", "ask"],
    alive: ["type", "ask"],
    delta: ["type", "ask", "data", "event"],
    done: ["type", "ask", "status", "body", "usage", "headers"],
  });
  const counts = ["prompt_tokens", "completion_tokens"];
  expect(Object.keys(Usage.shape)).toEqual([...counts, ...counts.map((name) => `${name}_details`)]);
  expect(Object.keys(V1Answer.shape)).toEqual(["id", "response_id", "conversation_id", "content", "error"]);
});
