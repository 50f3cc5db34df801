import { expect, test } from "bun:test";
import { translateResponses } from "../../../../src/http/models/responses/translate.ts";
import { chooseSeed, createRandom } from "../../../support/random.ts";
import {
  chunk,
  completion,
  countingContext,
  finish,
  streamedEvents,
  usageChunk,
} from "../../../support/translated-responses.ts";
import { expectWholeAnswer, withoutIds } from "./order.ts";

const BODY = {
  model: "m",
  input: "hello",
  stream: true,
  tools: [
    { type: "function", name: "weather" },
    { type: "custom", name: "news" },
  ],
};
const call = (index: number, fields: object, called: object) =>
  chunk({ tool_calls: [{ index, ...fields, function: called }] });

const seed = chooseSeed();
test(`a response is the same wherever the deltas are cut, and as the whole answer (SEED=${seed})`, () => {
  const random = createRandom(seed);
  const pieces = (text: string) => {
    const out: string[] = [];
    for (let at = 0; at < text.length; ) {
      const size = 1 + random.below(5);
      out.push(text.slice(at, at + size));
      at += size;
    }
    return out;
  };
  const text = () => Array.from({ length: random.below(12) }, () => random.pick(WORDS)).join("");
  for (let round = 0; round < 100; round += 1) {
    const message = {
      ...(random.below(2) && { reasoning_content: text() }),
      content: text(),
      ...(random.below(3) === 0 && { refusal: text() }),
      tool_calls: Array.from({ length: random.below(4) }, (_, index) => ({
        id: `call_${index}`,
        type: "function",
        function: {
          name: random.pick(["weather", "news", "made_up"]),
          arguments: JSON.stringify({ q: text() }),
        },
      })),
    };
    const usage = { prompt_tokens: random.below(99), completion_tokens: random.below(99), total_tokens: 7 };
    const reason = random.pick(["stop", "tool_calls", "length"]);
    /** The pieces of each call, which are taken in turns so that they interleave. */
    const queues = message.tool_calls.map((one, index) =>
      pieces(one.function.arguments).map((piece, at) =>
        at === 0
          ? call(index, { id: one.id, type: "function" }, { name: one.function.name, arguments: piece })
          : call(index, {}, { arguments: piece }),
      ),
    );
    const firsts = queues.flatMap((queue) => queue.splice(0, 1));
    const rest: string[] = [];
    while (queues.some((queue) => queue.length > 0)) rest.push(...random.pick(queues).splice(0, 1));
    const data = [
      ...pieces(message.reasoning_content || "").map((piece) => chunk({ reasoning_content: piece })),
      ...pieces(message.content).map((content) => chunk({ content })),
      ...pieces(message.refusal || "").map((refusal) => chunk({ refusal })),
      ...firsts,
      ...rest,
      finish(reason),
      usageChunk(usage),
      "[DONE]",
    ];
    const streamed = expectWholeAnswer(streamedEvents(BODY, data));
    const { answer } = translateResponses(BODY, countingContext());
    const whole = JSON.parse(answer(completion(message, { finish_reason: reason }, { usage })));
    expect(withoutIds(streamed)).toEqual(withoutIds(whole));
  }
});

const WORDS = ["a ", "naïve ", "日本語", "👩‍🔬", "\n", '"', "\\", "\u2028", "é", "\u0000"];
