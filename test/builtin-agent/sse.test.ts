import { describe, expect, test } from "bun:test";
import { type SseEvent, SseReader } from "../../src/builtin-agent/sse.ts";
import { chooseSeed, createRandom } from "../support/random.ts";
import { MALFORMED_EVENTS, malformedWrites } from "../support/upstream/fault-content.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (text: string, lengthMax = 1000): SseEvent[] => new SseReader(lengthMax).push(bytes(text));
const seed = chooseSeed();

describe("parsing", () => {
  test.each<[string, string, SseEvent[]]>([
    ["that ends in LF", "data: a\n\n", [{ data: "a" }]],
    ["that ends in CR", "data: a\r\rdata: b\r\r", [{ data: "a" }, { data: "b" }]],
    ["that ends in CRLF", "data: a\r\n\r\n", [{ data: "a" }]],
    ["with mixed line ends", "data: a\r\n\rdata: b\n\r\n", [{ data: "a" }, { data: "b" }]],
    ["with several data lines", "data: a\ndata:\ndata: b\n\n", [{ data: "a\n\nb" }]],
    ["with blanks after the colon, of which one is removed", "data:  a \n\n", [{ data: " a " }]],
    ["without a blank or a colon", "data:a\n\ndata\n\n", [{ data: "a" }, { data: "" }]],
    ["with a name", "event: ping\ndata: 1\n\ndata: 2\n\n", [{ event: "ping", data: "1" }, { data: "2" }]],
    ["without data, which is no event", "event: ping\n\n: note\n\nid: 1\n\n\n\ndata: x\n\n", [{ data: "x" }]],
    ["with unknown fields", ": c\nid: 1\nretry: 2\nDATA: 3\ndatax: 4\ndata: 5\n\n", [{ data: "5" }]],
    [
      "with line separators of Unicode, which end no line",
      "data: a\u2028b\u0085c\n\n",
      [{ data: "a\u2028b\u0085c" }],
    ],
    ["after a byte order mark", "\ufeffdata: a\n\n\ufeffdata: b\n\n", [{ data: "a" }]],
    ["that is not complete", "data: a\n", []],
  ])("the reader handles an event %s", (_, text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  test("the end of the stream completes an event that lacks only its blank line, or its line end too", () => {
    for (const text of ["data: a\n\ndata: [DONE]\n", "data: a\n\ndata: [DONE]", "data: [DONE]\r"]) {
      const reader = new SseReader(100);
      reader.push(bytes(text));
      expect(reader.end()).toEqual({ data: "[DONE]" });
    }
    const reader = new SseReader(100);
    reader.push(bytes("data: a\n\n"));
    expect(reader.end()).toBeUndefined();
  });
});

describe("an event that is too long", () => {
  const TOO_LONG = [`data: ${"x".repeat(60)}`, "data: 0123\n".repeat(12)];

  test("a too long event stops the reader, whether it has one line or many", () => {
    for (const text of TOO_LONG) {
      const reader = new SseReader(50);
      expect(reader.push(bytes(`data: before\n\n${text}\n\ndata: after\n\n`))).toEqual([{ data: "before" }]);
      expect(reader.overflow).toBe(true);
      expect(reader.push(bytes("data: later\n\n"))).toEqual([]);
      expect(reader.end()).toBeUndefined();
    }
  });

  test("a too long event stops the reader before the event is complete", () => {
    for (const text of TOO_LONG) {
      const reader = new SseReader(50);
      for (const byte of bytes(text)) expect(reader.push(Uint8Array.of(byte))).toEqual([]);
      expect(reader.overflow).toBe(true);
      expect(reader.push(bytes("\n\ndata: later\n\n"))).toEqual([]);
      expect(reader.end()).toBeUndefined();
    }
  });

  test("the limit is for one event: many short events and many comments do not reach it", () => {
    expect(parse("data: 0123456789\n\n".repeat(50), 20)).toHaveLength(50);
    expect(parse(`${": keep-alive\n".repeat(50)}data: x\n\n`, 20)).toEqual([{ data: "x" }]);
  });

  test("a comment of any length is skipped as it arrives", () => {
    const reader = new SseReader(20);
    for (let count = 0; count < 50; count++) expect(reader.push(bytes(": keep-alive "))).toEqual([]);
    expect(reader.push(bytes("\ndata: x\n\n"))).toEqual([{ data: "x" }]);
    expect(reader.overflow).toBe(false);
  });
});

/** Returns a stream as an upstream may write it, and the events that a reader must find in it. */
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
    // One kind of line end within an event: CR and then LF would be read as one line end.
    const eol = end();
    if (name) text += `event: ${name}${eol}`;
    for (const line of lines) text += `${random.pick(["", `: note${eol}`, `id${eol}`])}data: ${line}${eol}`;
    text += eol;
    events.push({ ...(name && { event: name }), data: lines.join("\n") });
  }
  return { text, events };
}

test(`the events are the same wherever the bytes are cut (SEED=${seed})`, () => {
  const random = createRandom(seed);
  for (let round = 0; round < 500; round++) {
    const { text, events } = writeEvents(random);
    const all = bytes(text);
    const reader = new SseReader(10_000);
    const got: SseEvent[] = [];
    for (let start = 0; start < all.length; ) {
      const end = start + random.below(5);
      got.push(...reader.push(all.subarray(start, end)));
      start = end;
    }
    expect(got).toEqual(events);
  }
});

test(`an unusual but valid stream is read as the standard says (SEED=${seed})`, () => {
  const reader = new SseReader(10_000);
  expect(malformedWrites(seed).flatMap((write) => reader.push(write))).toEqual([...MALFORMED_EVENTS]);
});
