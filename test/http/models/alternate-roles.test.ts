import { describe, expect, test } from "bun:test";
import { alternateRoles } from "../../../src/http/models/alternate-roles.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";

type Json = Record<string, unknown>;

const user = (content: unknown) => ({ role: "user", content });
const assistant = (content: unknown, more: Json = {}) => ({ role: "assistant", content, ...more });
const text = (value: string) => ({ type: "text", text: value });
const image = { type: "image_url", image_url: { url: "data:" } };
const tool_calls = [{ id: "a" }];
const result = { role: "tool", tool_call_id: "a", content: "21 °C" };

describe("messages of one role in a row", () => {
  const rows: [string, Json[], Json[]][] = [
    ["of the user become one text", [user("a"), user("b"), user("c")], [user("a\n\nb\n\nc")]],
    [
      "of the user become parts if one of them has parts",
      [user("a"), user([image]), user("b")],
      [user([text("a"), image, text("b")])],
    ],
    ["without text change nothing", [user("a"), user("")], [user("a")]],
    ["of the assistant become one text", [assistant("a"), assistant("b")], [assistant("a\n\nb")]],
    [
      "of the assistant keep the calls of the last one, and all reasoning",
      [
        assistant("a", { reasoning_content: "1" }),
        assistant(null, { reasoning_content: "2", tool_calls }),
        result,
      ],
      [assistant("a", { reasoning_content: "1\n\n2", tool_calls }), result],
    ],
    [
      "stay apart if the first has calls",
      [assistant(null, { tool_calls }), assistant("b")],
      [assistant(null, { tool_calls }), assistant("b")],
    ],
    ["of tools stay apart", [result, result], [result, result]],
  ];
  test.each(rows)("messages %s", (_, given, expected) => {
    expect(alternateRoles(given)).toEqual(expected);
  });

  const seed = chooseSeed();
  test(`user and assistant alternate, and no text is lost (SEED=${seed})`, () => {
    const random = createRandom(seed);
    for (let round = 0; round < 200; round += 1) {
      const given = Array.from({ length: random.below(12) }, (_, index) => {
        const content = random.below(2) === 0 ? `<${index}>` : [text(`<${index}>`)];
        return { role: random.pick(["user", "assistant"]), content };
      });
      const turns = alternateRoles(given) as typeof given;
      expect(turns.some(({ role }, index) => role === turns[index + 1]?.role)).toBe(false);
      const marks = (list: unknown) => JSON.stringify(list).match(/<\d+>/g);
      expect(marks(turns)).toEqual(marks(given));
    }
  });
});
