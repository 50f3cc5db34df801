import { describe, expect, test } from "bun:test";
import { type SseEvent, SseParser } from "../../src/builtin-agent/sse.ts";
import { chooseSeed, createRandom } from "../support/random.ts";
import { MALFORMED_EVENTS, malformedWrites } from "../support/upstream/fault-content.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (text: string, lengthMax = 1000): SseEvent[] => new SseParser(lengthMax).push(bytes(text));
const seed = chooseSeed();

describe("events", () => {
  test.each<[string, string, SseEvent[]]>([
    ["end with LF", "data: a\n\n", [{ data: "a" }]],
    ["end with CR", "data: a\r\rdata: b\r\r", [{ data: "a" }, { data: "b" }]],
    ["end with CRLF", "data: a\r\n\r\n", [{ data: "a" }]],
    ["end with a mixture", "data: a\r\n\rdata: b\n\r\n", [{ data: "a" }, { data: "b" }]],
    ["have several lines", "data: a\ndata:\ndata: b\n\n", [{ data: "a\n\nb" }]],
    ["lose one blank after the colon", "data:  a \n\n", [{ data: " a " }]],
    ["need no blank and no colon", "data:a\n\ndata\n\n", [{ data: "a" }, { data: "" }]],
    ["have names", "event: ping\ndata: 1\n\ndata: 2\n\n", [{ event: "ping", data: "1" }, { data: "2" }]],
    ["without data are none", "event: ping\n\n: note\n\nid: 1\n\n\n\ndata: x\n\n", [{ data: "x" }]],
    ["skip what is unknown", ": c\nid: 1\nretry: 2\nDATA: 3\ndatax: 4\ndata: 5\n\n", [{ data: "5" }]],
    ["keep other line ends", "data: a\u2028b\u0085c\n\n", [{ data: "a\u2028b\u0085c" }]],
    ["follow a byte order mark", "\ufeffdata: a\n\n\ufeffdata: b\n\n", [{ data: "a" }]],
    ["that are not over do not come", "data: a\n", []],
  ])("%s", (_, text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  test("that lack only the blank line come at the end, with or without the line's end", () => {
    for (const text of ["data: a\n\ndata: [DONE]\n", "data: a\n\ndata: [DONE]", "data: [DONE]\r"]) {
      const parser = new SseParser(100);
      parser.push(bytes(text));
      expect(parser.end()).toEqual({ data: "[DONE]" });
    }
    const parser = new SseParser(100);
    parser.push(bytes("data: a\n\n"));
    expect(parser.end()).toBeUndefined();
  });
});

describe("an event that is too long", () => {
  test("stops the parser, be it one line, many, or a comment", () => {
    for (const text of [`data: ${"x".repeat(60)}`, "data: 0123\n".repeat(7), `: ${"x".repeat(60)}`]) {
      const parser = new SseParser(50);
      expect(parser.push(bytes(`data: before\n\n${text}\n\ndata: after\n\n`))).toEqual([{ data: "before" }]);
      expect(parser.overflow).toBe(true);
      expect(parser.push(bytes("data: later\n\n"))).toEqual([]);
      expect(parser.end()).toBeUndefined();
    }
  });

  test("is one event's matter: many short ones and many comments are none", () => {
    expect(parse("data: 0123456789\n\n".repeat(50), 20)).toHaveLength(50);
    expect(parse(`${": keep-alive\n".repeat(50)}data: x\n\n`, 20)).toEqual([{ data: "x" }]);
  });
});

/** Writes events as an upstream may, and what a reader must get. */
function writeEvents(random: ReturnType<typeof createRandom>): { text: string; events: SseEvent[] } {
  const words = [
    "",
    " ",
    "a",
    ":",
    "naïve",
    "日本語",
    "👩‍🔬",
    '{"choices":[]}',
    "[DONE]",
    "\ufeff",
    "data: x",
  ];
  const phrase = () => Array.from({ length: random.below(4) }, () => random.pick(words)).join("");
  const end = () => random.pick(["\n", "\r", "\r\n"]);
  let text = random.pick(["", "\ufeff"]);
  const events: SseEvent[] = [];
  for (let count = random.below(12); count > 0; count--) {
    const lines = Array.from({ length: 1 + random.below(3) }, phrase);
    const name = random.pick(["", "", "response.completed", "ping"]);
    // The same within an event, as LF right after CR would be read as one with it.
    const eol = end();
    if (name) text += `event: ${name}${eol}`;
    for (const line of lines) text += `${random.pick(["", `: note${eol}`, `id${eol}`])}data: ${line}${eol}`;
    text += eol;
    events.push({ ...(name && { event: name }), data: lines.join("\n") });
  }
  return { text, events };
}

test(`events are the same wherever their bytes are cut (seed ${seed})`, () => {
  const random = createRandom(seed);
  for (let round = 0; round < 500; round++) {
    const { text, events } = writeEvents(random);
    const all = bytes(text);
    const parser = new SseParser(10_000);
    const got: SseEvent[] = [];
    for (let start = 0; start < all.length; ) {
      const end = start + random.below(5);
      got.push(...parser.push(all.subarray(start, end)));
      start = end;
    }
    expect(got).toEqual(events);
  }
});

test(`a stream that breaks every habit is read as the rules have it (seed ${seed})`, () => {
  const parser = new SseParser(10_000);
  expect(malformedWrites(seed).flatMap((write) => parser.push(write))).toEqual([...MALFORMED_EVENTS]);
});
