import { describe, expect, test } from "bun:test";
import { translateMessages } from "../../../src/http/models/messages/translate.ts";
import { oneSystemMessage } from "../../../src/http/models/one-system.ts";
import { translateResponses } from "../../../src/http/models/responses/translate.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { completion, countingContext, finish } from "../../support/translated-responses.ts";

type Json = Record<string, unknown>;

const system = (content: string) => ({ role: "system", content });
const user = (content: unknown) => ({ role: "user", content });
const calls = { role: "assistant", content: null, tool_calls: [{ id: "a" }] };
const result = { role: "tool", tool_call_id: "a", content: "21 °C" };

describe("one system message", () => {
  const image = { type: "image_url", image_url: { url: "data:" } };
  const text = (value: string) => ({ type: "text", text: value });
  const rows: [string, Json[], Json[]][] = [
    ["at the start are joined", [system("a"), system("b"), user("q")], [system("a\n\nb"), user("q")]],
    ["that are empty are left out", [system(""), user("q")], [user("q")]],
    ["after a user's message belong to it", [user("q"), system("a"), calls], [user("q\n\na"), calls]],
    [
      "between an answer and a question belong to the question",
      [user("q"), { role: "assistant", content: "x" }, system("a"), system("b"), user("r")],
      [user("q"), { role: "assistant", content: "x" }, user("a\n\nb\n\nr")],
    ],
    [
      "between calls and their results come after the results",
      [user("q"), calls, system("a"), result],
      [user("q"), calls, result, user("a")],
    ],
    [
      "between results and an answer are a message of the user",
      [user("q"), calls, result, system("a"), { role: "assistant", content: "x" }],
      [user("q"), calls, result, user("a"), { role: "assistant", content: "x" }],
    ],
    [
      "beside parts become a part",
      [user([text("q"), image]), system("a")],
      [user([text("q"), image, text("a")])],
    ],
    [
      "before parts become the first part",
      [user("q"), calls, result, system("a"), user([image])],
      [user("q"), calls, result, user([text("a"), image])],
    ],
  ];
  test.each(rows)("system messages %s", (_, given, expected) => {
    expect(oneSystemMessage(given)).toEqual(expected);
  });

  const seed = chooseSeed();
  test(`at most one system message is sent, first, and no text is lost, in both translations (SEED=${seed})`, () => {
    const random = createRandom(seed);
    for (let round = 0; round < 100; round += 1) {
      const roles = Array.from({ length: 1 + random.below(8) }, () =>
        random.pick(["user", "system", "assistant"]),
      );
      const messages = [...roles, "user"].map((role, index) => ({ role, content: `<${index}>` }));
      const sent = [
        translateMessages({ model: "m", max_tokens: 9, system: "<s>", messages }, countingContext()),
        translateResponses({ model: "m", instructions: "<s>", input: messages }, countingContext()),
      ].map(({ request }) => request["messages"] as { role: string; content: string }[]);
      for (const list of sent) {
        expect(list.findLastIndex(({ role }) => role === "system")).toBe(0);
        const texts = list.map(({ content }) => content).join("");
        expect(texts.match(/<\w+>/g)).toEqual(["<s>", ...messages.map(({ content }) => content)]);
      }
    }
  });
});

describe("names of tools with more than 64 characters", () => {
  const parameters = { type: "object" };
  const forMessages = (names: readonly string[], more: Json = {}) =>
    translateMessages(
      {
        model: "m",
        max_tokens: 9,
        messages: [user("q")],
        tools: names.map((name) => ({ name, input_schema: parameters })),
        ...more,
      },
      countingContext(),
    );
  const forResponses = (names: readonly string[], more: Json = {}) =>
    translateResponses(
      {
        model: "m",
        input: "q",
        tools: names.map((name) => ({ type: "function", name, parameters })),
        ...more,
      },
      countingContext(),
    );
  const sentNames = ({ request }: { request: Json }) =>
    (request["tools"] as { function: { name: string } }[]).map((tool) => tool.function.name);

  const long = `mcp__plugin_${"x".repeat(60)}`;
  const names = [`${long}1`, `${long}2`, "short", "n".repeat(64)];

  for (const [api, translate] of [
    ["/v1/messages", forMessages],
    ["/v1/responses", forResponses],
  ] as const) {
    test(`${api}: they are shortened without collision, the same in every request, and restored`, () => {
      const translation = translate(names);
      const sent = sentNames(translation);
      expect(sent.every(({ length }) => length <= 64)).toBe(true);
      expect(new Set(sent).size).toBe(names.length);
      expect(sent.slice(2)).toEqual(names.slice(2));
      expect(sentNames(translate(names.toReversed()))).toEqual(sent.toReversed());

      const tool_calls = sent.map((name, index) => ({
        index,
        id: `c${index}`,
        function: { name, arguments: "{}" },
      }));
      const whole = JSON.parse(translation.answer(completion({ tool_calls })));
      const items: { name: string }[] = whole.content ?? whole.output;
      expect(items.map(({ name }) => name)).toEqual(names);
      const chunk = JSON.stringify({ choices: [{ index: 0, delta: { tool_calls } }] });
      const stream = translation.stream();
      const events = [chunk, finish("tool_calls"), "[DONE]"].flatMap((data) => stream.push({ data }));
      const begun = events
        .filter(({ event }) => event === "content_block_start" || event === "response.output_item.added")
        .map(({ data }) => JSON.parse(data))
        .map(({ content_block, item }) => (content_block ?? item).name);
      expect(begun).toEqual(names);
    });
  }

  test("a choice and a call of the history have the name that the tool has", () => {
    const name = `${long}1`;
    const messages = forMessages([name], {
      tool_choice: { type: "tool", name },
      messages: [
        user("q"),
        { role: "assistant", content: [{ type: "tool_use", id: "a", name, input: {} }] },
        user([{ type: "tool_result", tool_use_id: "a", content: "done" }]),
      ],
    });
    const responses = forResponses([name], {
      tool_choice: { type: "function", name },
      input: [
        user("q"),
        { type: "function_call", call_id: "a", name, arguments: "" },
        { type: "function_call_output", call_id: "a", output: "done" },
      ],
    });
    for (const translation of [messages, responses]) {
      const [short = ""] = sentNames(translation);
      const called = { type: "function", function: { name: short, arguments: "{}" }, id: "a" };
      expect(translation.request["messages"]).toContainEqual(
        expect.objectContaining({ role: "assistant", tool_calls: [called] }),
      );
      expect(translation.request["tool_choice"]).toEqual({ type: "function", function: { name: short } });
    }
  });
});
