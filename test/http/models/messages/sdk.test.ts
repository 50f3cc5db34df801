import { expect, test } from "bun:test";
import { APIError } from "@anthropic-ai/sdk";
import { chooseSeed, createRandom, type Random } from "../../../support/random.ts";
import { call, calls, chunk, finish, startMessages, usageChunk } from "./scene.ts";

const QUESTION = { model: "m", max_tokens: 9, messages: [{ role: "user" as const, content: "Hello" }] };
const USAGE = { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 };

test("the official SDK throws a failure in the middle of a stream with its type", async () => {
  const error = { message: "Broken.", type: "server_error", code: null };
  const client = startMessages(() => ({ events: [chunk({ content: "a" }), JSON.stringify({ error })] }));
  const thrown = await client.messages
    .stream(QUESTION)
    .finalMessage()
    .catch((caught: unknown) => caught);
  expect(thrown).toBeInstanceOf(APIError);
  expect(thrown).toMatchObject({ type: "api_error", apiMessage: "Broken." });
});

test("the official SDK builds the whole message from the events", async () => {
  const client = startMessages(() => ({
    events: [
      chunk({ role: "assistant", reasoning_content: "Hm." }),
      chunk({ content: "Zwei 🦊" }),
      calls(
        call(0, { id: "c1", name: "a", arguments: '{"x":' }),
        call(1, { id: "c2", name: "b", arguments: "" }),
      ),
      calls(call(0, { arguments: '"ü"}' })),
      finish("tool_calls"),
      usageChunk({ ...USAGE, prompt_tokens_details: { cached_tokens: 10 } }),
      "[DONE]",
    ],
  }));
  const message = await client.messages
    .stream({ ...QUESTION, thinking: { type: "enabled", budget_tokens: 1024 } })
    .finalMessage();
  expect(message).toMatchObject({
    content: [
      { type: "thinking", thinking: "Hm.", signature: "" },
      { type: "text", text: "Zwei 🦊" },
      { type: "tool_use", id: "c1", name: "a", input: { x: "ü" } },
      { type: "tool_use", id: "c2", name: "b", input: {} },
    ],
    stop_reason: "tool_use",
    usage: { input_tokens: 2, cache_read_input_tokens: 10, output_tokens: 3 },
  });
});

/** Cuts a text into pieces of 1 to 5 UTF-16 units, so that surrogate pairs are cut too. */
function pieces(text: string, random: Random): string[] {
  const cut: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = at + 1 + random.below(5);
    cut.push(text.slice(at, end));
    at = end;
  }
  return cut;
}

const seed = chooseSeed();
test(`the SDK builds the same message wherever the deltas are cut and mixed (SEED=${seed})`, async () => {
  const random = createRandom(seed);
  for (let round = 0; round < 60; round += 1) {
    const text = 'Ein Fuchs 🦊, zwei Füchse "\\u0000" \n'.repeat(random.below(4));
    const inputs = Array.from({ length: random.below(4) }, (_, n) => ({
      n,
      s: `}{"🦊\\${text}`,
      deep: { n: [{}] },
    }));
    const queues = inputs.map((input, n) => {
      const [first = "", ...rest] = pieces(JSON.stringify(input), random);
      return [
        call(n, { id: `c${n}`, name: `tool${n}`, arguments: first }),
        ...rest.map((part) => call(n, { arguments: part })),
      ];
    });
    const mixed: string[] = [];
    // Calls begin in the order of their numbers. After that, any of them may be next.
    for (const queue of queues) mixed.push(calls(queue.shift() ?? {}));
    for (let open = queues.filter((queue) => queue.length > 0); open.length > 0; ) {
      mixed.push(calls(random.pick(open).shift() ?? {}));
      open = queues.filter((queue) => queue.length > 0);
    }
    const texts = pieces(text, random).map((part) => chunk({ content: part }));
    const client = startMessages(() => ({
      events: [...texts, ...mixed, finish("stop"), usageChunk(USAGE), "[DONE]"],
    }));
    const message = await client.messages.stream(QUESTION).finalMessage();
    expect(message.content).toEqual([
      ...(text ? [{ type: "text" as const, text }] : []),
      ...inputs.map((input, n) => ({ type: "tool_use" as const, id: `c${n}`, name: `tool${n}`, input })),
    ] as typeof message.content);
  }
});
