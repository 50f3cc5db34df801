import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { publicMessage } from "../../../src/http/errors/openai.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { chunk, completion, finish } from "../../support/translated-responses.ts";
import { type Seen, streamedTo, wholeTo } from "./both-translations.ts";

const DONE = "[DONE]";
const USAGE = { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 };

/** Expects the same of both APIs. */
function expectBoth(seen: { messages: Seen; responses: Seen }, expected: Partial<Seen>): void {
  expect(seen.messages).toMatchObject(expected);
  expect(seen.responses).toMatchObject(expected);
}

/** Returns the messages with which both APIs refuse a whole answer. */
function refusals(body: string): string {
  try {
    wholeTo(body);
  } catch (error) {
    if (error instanceof AppError) return publicMessage(error);
    throw error;
  }
  throw new Error("the answer was accepted");
}

describe("an answer that an upstream calls failed", () => {
  const error = { code: "server_error", message: "Provider disconnected." };
  type Json = Record<string, unknown>;
  const failing: [string, Json, Json][] = [
    ["an error beside the choices", { finish_reason: "error" }, { error }],
    ["an error as text beside the choices", {}, { error: error.message }],
    ["an error inside a choice", { error }, {}],
    ["an error inside a choice that says it is complete", { error, finish_reason: "stop" }, {}],
    ["an error with a list of reasons", {}, { error: { detail: [{ msg: error.message }] } }],
    ["an error with its reason in detail", {}, { error: { detail: error.message } }],
  ];
  test.each(failing)("%s fails it, whole and streamed, with the upstream's reason", (_, choice, top) => {
    const seen = streamedTo([
      chunk({ content: "Half an ans" }),
      JSON.stringify({ ...JSON.parse(chunk({ content: "" }, choice)), ...top }),
      finish("stop"),
      DONE,
    ]);
    expectBoth(seen, { end: "failed: Provider disconnected." });
    expect(refusals(completion({ content: "Half" }, choice, top))).toContain("Provider disconnected.");
  });

  test("an object of the type error in place of a chunk or an answer fails it with its message", () => {
    const body = JSON.stringify({ object: "error", message: "Out of memory.", code: 500 });
    expectBoth(streamedTo([chunk({ content: "a" }), body]), { end: "failed: Out of memory." });
    expect(refusals(body)).toContain("Out of memory.");
  });

  test("a list with an error in place of a chunk or an answer fails it with its message", () => {
    const body = JSON.stringify([{ error: { code: 400, message: "Out of memory.", status: "INVALID" } }]);
    expectBoth(streamedTo([chunk({ content: "a" }), body]), { end: "failed: Out of memory." });
    expect(refusals(body)).toContain("Out of memory.");
  });

  test.each(["error", "abort", "insufficient_system_resource", "MALFORMED_FUNCTION_CALL", "network_error"])(
    "the finish reason %s never makes an answer look complete",
    (reason) => {
      const seen = streamedTo([chunk({ content: "Half" }), finish(reason), DONE]);
      expect(seen.messages.end).toMatch(/^failed: The (agent's )?upstream /);
      expect(seen.responses.end).toBe(seen.messages.end);
      expect(refusals(completion({ content: "Half" }, { finish_reason: reason }))).toContain("upstream");
    },
  );

  test.each([
    ["stop", "complete"],
    ["STOP", "complete"],
    ["eos_token", "complete"],
    ["end_turn", "complete"],
    [null, "complete"],
    ["length", "cut"],
    ["MAX_TOKENS", "cut"],
    ["model_length", "cut"],
    ["content_filter", "cut"],
    ["SAFETY", "cut"],
  ])("the finish reason %s means that an answer is %s", (reason, end) => {
    expectBoth(streamedTo([chunk({ content: "a" }), chunk({}, { finish_reason: reason }), DONE]), { end });
    expectBoth(wholeTo(completion({ content: "a" }, { finish_reason: reason })), { end });
  });

  test("an error that is null or empty does not fail an answer", () => {
    for (const none of [null, "", false]) {
      const part = JSON.stringify({ ...JSON.parse(chunk({ content: "a" })), error: none });
      expectBoth(streamedTo([part, finish("stop"), DONE]), { end: "complete", text: "a" });
    }
  });
});

test("fields that no answer depends on may have any shape", () => {
  const given = JSON.parse(chunk({ content: "Hi" }, { logprobs: [] }));
  expectBoth(streamedTo([JSON.stringify({ ...given, model: 7, usage: "none" }), finish("stop"), DONE]), {
    end: "complete",
    text: "Hi",
  });
});

test("chunks whose choices are null or absent are read for their usage only", () => {
  for (const choices of [{ choices: null }, {}, { choices: [] }]) {
    const usage = JSON.stringify({ object: "chat.completion.chunk", model: "m", ...choices, usage: USAGE });
    const begin = JSON.stringify({ object: "chat.completion.chunk", model: "m", ...choices });
    const seen = streamedTo([begin, chunk({ content: "Hi" }), finish("stop"), usage, DONE]);
    expectBoth(seen, { end: "complete", text: "Hi", inputTokens: 3 });
  }
});

describe("content in parts", () => {
  const thinking = { type: "thinking", thinking: [{ type: "text", text: "a greeting" }] };
  const expected = { end: "complete", text: "Hello", reasoning: "a greeting" };

  test.each([
    ["thinking with texts inside", thinking],
    ["thinking as a text", { type: "thinking", thinking: "a greeting" }],
    ["reasoning", { type: "reasoning", text: "a greeting" }],
    [
      "reasoning with a summary",
      { type: "reasoning", summary: [{ type: "summary_text", text: "a greeting" }] },
    ],
  ])("%s is the reasoning and a text part the text, whole and streamed", (_, part) => {
    const unknown = { type: "reference", reference_ids: [1] };
    const whole = [part, unknown, { type: "text", text: "Hello" }];
    expectBoth(wholeTo(completion({ content: whole })), expected);
    expectBoth(streamedTo([chunk({ content: whole }), finish("stop"), DONE]), expected);
    const pieces = [[part], "Hel", [{ type: "text", text: "lo" }]].map((content) => chunk({ content }));
    expectBoth(streamedTo([...pieces, finish("stop"), DONE]), expected);
  });

  test("a list of bare texts is text", () => {
    expectBoth(wholeTo(completion({ content: ["Hel", "lo"] })), { text: "Hello" });
  });
});

describe("tool calls", () => {
  const calls = (...fragments: object[]) => chunk({ tool_calls: fragments });
  const fragment = (index: number | undefined, id: string | undefined, called: object) => ({
    ...(index !== undefined && { index }),
    ...(id !== undefined && { id }),
    type: "function",
    function: called,
  });
  const inputs = (seen: Seen) => seen.calls.map(({ name, input }) => ({ name, input }));

  test.each([
    ["nothing", "{}"],
    ["an empty text", ""],
    ["null", null],
    ["an empty object", {}],
  ])("arguments of %s become an empty object", (_, given) => {
    const tool_calls = [fragment(0, "a", { name: "now", arguments: given })];
    for (const seen of [
      streamedTo([chunk({ tool_calls }), finish("tool_calls"), DONE]),
      wholeTo(completion({ tool_calls }, { finish_reason: "tool_calls" })),
    ])
      expectBoth(seen, { end: "complete", calls: [{ id: "a", name: "now", input: {} }] });
  });

  test("arguments that are an object instead of text are accepted", () => {
    const tool_calls = [fragment(0, "a", { name: "weather", arguments: { city: "Rome" } })];
    const expected = { calls: [{ id: "a", name: "weather", input: { city: "Rome" } }] };
    expectBoth(streamedTo([chunk({ tool_calls }), finish("tool_calls"), DONE]), expected);
    expectBoth(wholeTo(completion({ tool_calls })), expected);
  });

  test("ids that are numbers, and indexes that are not, still tell calls apart", () => {
    const one = (id: number, city: string) => ({
      index: "0",
      id,
      function: { name: "weather", arguments: { city } },
    });
    const tool_calls = [one(1, "Rome"), one(2, "Oslo")];
    const expected = {
      calls: [
        { id: "1", name: "weather", input: { city: "Rome" } },
        { id: "2", name: "weather", input: { city: "Oslo" } },
      ],
    };
    expectBoth(streamedTo([chunk({ tool_calls }), finish("tool_calls"), DONE]), expected);
    expectBoth(wholeTo(completion({ tool_calls })), expected);
  });

  test("arguments that come after the end of an answer fail it", () => {
    const first = fragment(0, "a", { name: "weather", arguments: '{"city":' });
    const late = calls({ index: 0, function: { arguments: '"Rome"}' } });
    const end = "failed: The agent's upstream sent more arguments for a tool call that was complete.";
    expectBoth(streamedTo([calls(first), finish("tool_calls"), late, DONE]), { end });
  });

  test("a call without a name fails the answer, whole and streamed", () => {
    const tool_calls = [fragment(0, "a", { arguments: "{}" })];
    const end = "failed: The agent's upstream sent a tool call without a name.";
    expectBoth(streamedTo([chunk({ tool_calls }), DONE]), { end });
    expect(refusals(completion({ tool_calls }))).toContain("without a name");
  });

  test("a call without arguments and the call after it are two, though they have the same index", () => {
    const seen = streamedTo([
      calls(fragment(0, undefined, { name: "now", arguments: "" })),
      calls(fragment(0, undefined, { name: "weather", arguments: "" })),
      calls({ index: 0, function: { arguments: '{"city":"Rome"}' } }),
      finish("tool_calls"),
      DONE,
    ]);
    for (const api of [seen.messages, seen.responses])
      expect(inputs(api)).toEqual([
        { name: "now", input: {} },
        { name: "weather", input: { city: "Rome" } },
      ]);
  });

  /** How upstreams mark the fragments of calls. `number` is that of the call, `first` marks its first fragment. */
  type Marks = (
    number: number,
    first: boolean,
  ) => { index?: number | undefined; id?: string | null; isNamed: boolean };
  const first = (marks: (number: number) => { index?: number | undefined; id?: string | null }): Marks => {
    return (number, isFirst) => ({
      ...(isFirst ? marks(number) : { index: marks(number).index }),
      isNamed: isFirst,
    });
  };
  const MARKS: [string, Marks, "mixed" | "in turn"][] = [
    ["an index and an id at first", first((number) => ({ index: number, id: `c${number}` })), "mixed"],
    ["an index only", first((number) => ({ index: number })), "mixed"],
    ["an index, and one id for all", first((number) => ({ index: number, id: "same" })), "mixed"],
    [
      "an index, id and name in all fragments",
      (number) => ({ index: number, id: `c${number}`, isNamed: true }),
      "mixed",
    ],
    [
      "one index, and an id in all fragments",
      (number, isNamed) => ({ index: 0, id: `c${number}`, isNamed }),
      "mixed",
    ],
    ["no index, and an id in all fragments", (number, isNamed) => ({ id: `c${number}`, isNamed }), "mixed"],
    ["one index and an id at first", first((number) => ({ index: 0, id: `c${number}` })), "in turn"],
    ["one index and an empty id", first(() => ({ index: 0, id: "" })), "in turn"],
    ["one index and no id", first(() => ({ index: 0, id: null })), "in turn"],
    ["one index and one id", first(() => ({ index: 0, id: "same" })), "in turn"],
    ["no index and no id", first(() => ({})), "in turn"],
    ["no index and an id at first", first((number) => ({ id: `c${number}` })), "in turn"],
    ["one index, and a name in all fragments", () => ({ index: 0, isNamed: true }), "in turn"],
  ];

  const seed = chooseSeed();
  test.each(MARKS)(
    `parallel calls with %s are told apart wherever they are cut (SEED=${seed})`,
    (_, marks, order) => {
      const random = createRandom(seed);
      for (let round = 0; round < 60; round += 1) {
        const wanted = Array.from({ length: 1 + random.below(4) }, (_, number) => ({
          name: random.pick(["weather", "news"]),
          input: { number, text: "}{🦊\\".repeat(random.below(3)) },
        }));
        const queues = wanted.map(({ name, input }, number) =>
          cut(JSON.stringify(input), random.below).map((text, at) => {
            const { isNamed, ...rest } = marks(number, at === 0);
            return { ...rest, function: { ...(isNamed && { name }), arguments: text } };
          }),
        );
        const fragments = order === "mixed" ? mixed(queues, random) : queues.flat();
        const seen = streamedTo([...fragments.map((one) => calls(one)), finish("tool_calls"), DONE]);
        for (const api of [seen.messages, seen.responses]) {
          expect(inputs(api)).toEqual(wanted);
          expect(new Set(api.calls.map(({ id }) => id)).size).toBe(wanted.length);
        }
      }
    },
  );
});

function cut(text: string, below: (end: number) => number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = at + 1 + below(20);
    pieces.push(text.slice(at, end));
    at = end;
  }
  // Some upstreams begin a call with a fragment that has no arguments yet.
  return below(2) ? pieces : ["", ...pieces];
}

/** Takes the first fragments in their order, and after that of any queue the next. */
function mixed<T>(queues: T[][], random: { pick<E>(list: readonly E[]): E }): T[] {
  const taken = queues.flatMap((queue) => queue.splice(0, 1));
  for (let open = queues.filter((queue) => queue.length > 0); open.length > 0; ) {
    taken.push(...random.pick(open).splice(0, 1));
    open = queues.filter((queue) => queue.length > 0);
  }
  return taken;
}
